"""/client/passkeys: the passkeys of who is signed in."""

from functools import partial
from typing import Any

from protonpay.auth import passkey_schemas, passkey_steps, service
from protonpay.passkeys import service as passkeys
from protonpay.web.access import NO_KEY
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.limits import buckets
from protonpay.web.paging import PageQuery, page
from protonpay.web.step_up import steps_up

blp = AreaBlueprint("passkeys", __name__, door=Door.CLIENT, prefix="/client", about="Passkeys")


@blp.post("/passkeys/options", keys=NO_KEY, refuses=[401, 409])
@blp.arguments(passkey_schemas.PasskeyOwner)
@blp.response(200, passkey_schemas.OptionsAnswer)
@steps_up
def options(given: dict[str, str]) -> dict[str, Any]:
    """Get what `navigator.credentials.create` is given, for a passkey on this device."""
    caller = current()
    with buckets.signing_in(service.guesses_of(caller.user_id)):
        asked = passkey_steps.begin_adding(
            caller.user_id, session_id=caller.session_id or "", **given
        )
    return {"options": asked}


@blp.post("/passkeys", keys=NO_KEY, refuses=[409])
@blp.arguments(passkey_schemas.NewPasskey)
@blp.response(200, passkey_schemas.PasskeyAnswer)
def add(made: dict[str, Any]) -> dict[str, Any]:
    """Add the passkey that your device has made: from now on it signs you in."""
    caller = current()
    wire = passkey_schemas.NewCredential().dump(made.pop("credential"))
    kept = passkey_steps.add(
        caller.user_id, session_id=caller.session_id or "", credential=wire, **made
    )
    return {"passkey": kept}


@blp.get("/passkeys", keys=NO_KEY)
@blp.arguments(PageQuery, location="query")
@blp.response(200, passkey_schemas.PasskeysPage)
def listed(query: dict[str, Any]) -> dict[str, Any]:
    """List your passkeys, newest first."""
    return page("passkeys", query, partial(passkeys.passkeys, current().user_id))


@blp.patch("/passkeys/<id:passkey_id>", keys=NO_KEY)
@blp.arguments(passkey_schemas.PasskeyName)
@blp.response(200, passkey_schemas.PasskeyAnswer)
def rename(wanted: dict[str, str], passkey_id: str) -> dict[str, Any]:
    """Call a passkey something else."""
    return {"passkey": passkeys.rename(current().user_id, passkey_id, **wanted)}


@blp.delete("/passkeys/<id:passkey_id>", keys=NO_KEY, refuses=[401])
@blp.response(204)
@steps_up
def remove(passkey_id: str) -> None:
    """Take a passkey away: it opens nothing from then on."""
    passkeys.remove(current().user_id, passkey_id)
