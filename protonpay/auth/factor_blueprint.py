"""/client/2fa: the second factor of who is signed in."""

from typing import Any

from protonpay.auth import factor_resets, factor_schemas, service, two_steps
from protonpay.two_factor import service as two_factor
from protonpay.web import qr
from protonpay.web.access import NO_KEY
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.limits import buckets
from protonpay.web.step_up import steps_up

blp = AreaBlueprint(
    "two_factor", __name__, door=Door.CLIENT, prefix="/client", about="Second factor"
)


@blp.get("/2fa", keys=NO_KEY)
@blp.response(200, factor_schemas.FactorAnswer)
def standing() -> dict[str, Any]:
    """See whether there is a second factor, and how many recovery codes are left."""
    return _standing()


@blp.post("/2fa/setup", keys=NO_KEY, refuses=[401])
@blp.arguments(factor_schemas.PasswordAgain)
@blp.response(200, factor_schemas.SetupAnswer)
def setup(given: dict[str, str]) -> dict[str, Any]:
    """Get a secret for your app. It counts once a code of it was sent to `enable`."""
    caller = current()
    with buckets.signing_in(service.guesses_of(caller.user_id)):
        made = two_steps.begin(caller.user_id, **given)
    shown = {"secret": made.secret, "uri": made.uri, "expires_at": made.expires_at}
    return {"setup": {**shown, "qr_svg": qr.svg(made.uri)}}


@blp.post("/2fa/enable", keys=NO_KEY, refuses=[401, 409])
@blp.arguments(factor_schemas.FirstCode)
@blp.response(200, factor_schemas.CodesAnswer)
def enable(given: dict[str, str]) -> dict[str, Any]:
    """Send the first code of your app: from now on one is asked for. Other sessions end.

    The answer has ten recovery codes, shown this once: each opens the account in place of a code
    of the app, once.
    """
    caller = current()
    codes = two_steps.enable(caller.user_id, session_id=caller.session_id or "", **given)
    return {"recovery_codes": codes}


@blp.post("/2fa/recovery-codes", keys=NO_KEY, refuses=[401, 409])
@blp.response(200, factor_schemas.CodesAnswer)
@steps_up
def renew() -> dict[str, Any]:
    """Get ten new recovery codes; the old ones are void."""
    return {"recovery_codes": two_factor.renew_codes(current().user_id)}


@blp.delete("/2fa/reset", keys=NO_KEY, refuses=[404])
@blp.response(204)
def keep() -> None:
    """Stop the second factor from being taken away, as somebody asked who said that it is lost."""
    factor_resets.stop_in_session(current().user_id)


@blp.post("/2fa/disable", keys=NO_KEY, refuses=[401])
@blp.arguments(factor_schemas.PasswordAgain)
@blp.response(200, factor_schemas.FactorAnswer)
@steps_up
def disable(given: dict[str, str]) -> dict[str, Any]:
    """Take the second factor away, with password and code. Other sessions end."""
    caller = current()
    with buckets.signing_in(service.guesses_of(caller.user_id)):
        two_steps.disable(caller.user_id, session_id=caller.session_id or "", **given)
    return _standing()


def _standing() -> dict[str, Any]:
    user_id = current().user_id
    now = two_factor.standing(user_id)
    shown = {"enabled": now.enabled, "enabled_at": now.enabled_at, "codes_left": now.codes_left}
    return {"two_factor": {**shown, "reset_at": factor_resets.due_at(user_id)}}
