"""/client: the address, the password and the sessions of who is signed in."""

from functools import partial
from typing import Any

from protonpay.auth import emails, failures, recovery, schemas, service, sign_ins
from protonpay.web.access import NO_KEY
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.limits import buckets
from protonpay.web.paging import PageQuery, page
from protonpay.web.step_up import steps_up

blp = AreaBlueprint(
    "account", __name__, door=Door.CLIENT, prefix="/client", about="Address, password, sessions"
)


@blp.post("/email/verification", keys=NO_KEY, refuses=[409, 429])
@blp.response(200, schemas.Addressed)
def verification() -> dict[str, str]:
    """Get another letter that proves your address; the older one is void."""
    return {"email": emails.ask_verification(current().user_id)}


@blp.post("/email", keys=NO_KEY, refuses=[401, 409])
@blp.arguments(schemas.NewEmail)
@blp.response(200, schemas.Addressed)
@steps_up
def email(wanted: dict[str, str]) -> dict[str, str]:
    """Change your address: it is yours once the link in the letter to it is used."""
    with buckets.signing_in(service.guesses_of(current().user_id)):
        emails.ask_change(current().user_id, **wanted)
    return {"email": wanted["email"]}


@blp.post("/password", keys=NO_KEY, refuses=[401])
@blp.arguments(schemas.NewPassword)
@blp.response(200, schemas.PasswordChanged)
@steps_up
def password(wanted: dict[str, str]) -> dict[str, int]:
    """Change your password; every other session ends."""
    caller = current()
    with buckets.signing_in(service.guesses_of(caller.user_id)):
        ended = recovery.change(caller.user_id, session_id=caller.session_id or "", **wanted)
    return {"ended_sessions": ended}


@blp.get("/sessions", keys=NO_KEY)
@blp.arguments(schemas.SessionsQuery, location="query")
@blp.response(200, schemas.SessionsPage)
def sessions(query: dict[str, Any]) -> dict[str, Any]:
    """List where you are signed in, newest first; with `status`, where you were, too."""
    caller = current()
    read = partial(sign_ins.of, caller.user_id, asking=caller.session_id)
    return page("sessions", query, read)


@blp.get("/sessions/failed", keys=NO_KEY)
@blp.arguments(PageQuery, location="query")
@blp.response(200, schemas.FailedSignInsPage)
def failed(query: dict[str, Any]) -> dict[str, Any]:
    """List the sign-ins to your account that failed in ninety days, newest first."""
    return page("failed", query, partial(failures.listed, current().user_id))


@blp.delete("/sessions/<id:session_id>", keys=NO_KEY)
@blp.response(204)
def end(session_id: str) -> None:
    """End a session, at once: whoever holds its tokens is signed out."""
    sign_ins.end(current().user_id, session_id)


@blp.delete("/sessions", keys=NO_KEY)
@blp.response(204)
def end_others() -> None:
    """End every session but this one."""
    caller = current()
    sign_ins.end_others(caller.user_id, caller.session_id or "")
