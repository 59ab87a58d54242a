"""/auth: register, login, refresh, logout, what letters lead to."""

from typing import Any

from flask import request

from protonpay.auth import (
    devices,
    emails,
    factor_schemas,
    passkey_schemas,
    passkey_steps,
    recovery,
    schemas,
    service,
    two_steps,
)
from protonpay.kernel.errors import Unauthenticated
from protonpay.passkeys import service as passkeys
from protonpay.web import agents, messages, tokens
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import bearer
from protonpay.web.limits import buckets

blp = AreaBlueprint("auth", __name__, door=Door.AUTH, prefix="/auth", about="Accounts and tokens")


@blp.post("/register", refuses=[409])
@blp.arguments(schemas.Registration)
@blp.response(200, schemas.Registered)
def register(person: dict[str, str]) -> dict[str, Any]:
    """Register a new user account."""
    entered = service.register(**person, device=_device(), language=messages.language())
    return {**_pair(entered.grant), "user": entered.user}


@blp.post("/login", refuses=[401, 403])
@blp.arguments(schemas.Credentials)
@blp.response(200, schemas.LoggedIn)
def login(person: dict[str, str]) -> dict[str, Any]:
    """Authenticate and receive JWT tokens."""
    device = _device()
    account = service.failures_of(person["email"], device.address)
    with buckets.signing_in(account):
        entered = service.login(**person, device=device)
    if isinstance(entered, service.Challenge):
        token = tokens.issue_mfa(entered.user_id, entered.id, service.CHALLENGE_LIFE)
        said = "Send a code of your second factor to /auth/2fa."
        raise Unauthenticated("two_factor_required", said, members={"mfaToken": token})
    return _entered(entered)


@blp.post("/2fa", refuses=[401, 403])
@blp.arguments(factor_schemas.SecondStep)
@blp.response(200, schemas.LoggedIn)
def second_step(given: dict[str, str]) -> dict[str, Any]:
    """Finish a sign-in with a code of the app, or a recovery code."""
    claims = tokens.read_mfa(given["mfa_token"])
    entered = two_steps.complete(
        challenge_id=claims.token_id,
        user_id=claims.user_id,
        code=given["code"],
        device=_device(),
    )
    return _entered(entered)


@blp.post("/passkey/options", refuses=[401, 409])
@blp.arguments(passkey_schemas.Asking)
@blp.response(200, passkey_schemas.OptionsAnswer)
def passkey_options(given: dict[str, str]) -> dict[str, Any]:
    """Get what `navigator.credentials.get` is given, to sign in with a passkey.

    With the `mfaToken` of a sign-in it is asked of that account, in place of a code.
    """
    if "mfa_token" not in given:
        return {"options": passkeys.begin_signing_in()}
    claims = tokens.read_mfa(given["mfa_token"])
    asked = passkey_steps.begin_second_step(claims.user_id, sign_in_id=claims.token_id)
    return {"options": asked}


@blp.post("/passkey", refuses=[401, 403])
@blp.arguments(passkey_schemas.Signed)
@blp.response(200, schemas.LoggedIn)
def passkey(given: dict[str, Any]) -> dict[str, Any]:
    """Sign in with what a passkey has signed; with an `mfaToken`, as the second step."""
    signed = {
        "challenge_id": given["challenge_id"],
        "credential": passkey_schemas.SignedCredential().dump(given["credential"]),
        "device": _device(),
    }
    if "mfa_token" not in given:
        return _entered(passkey_steps.sign_in(**signed))
    claims = tokens.read_mfa(given["mfa_token"])
    entered = passkey_steps.second_step(claims.user_id, sign_in_id=claims.token_id, **signed)
    return _entered(entered)


@blp.post("/refresh", refuses=[401])
@blp.arguments(schemas.Refresh)
@blp.response(200, schemas.Tokens)
def refresh(given: dict[str, str]) -> dict[str, str]:
    """Refresh an expired access token using a refresh token."""
    claims = tokens.read_refresh(given["refresh_token"])
    grant = service.refresh(
        token_id=claims.token_id, session_id=claims.session_id, user_id=claims.user_id
    )
    return _pair(grant)


@blp.post("/logout", refuses=[401])
@blp.doc(security=[{"bearer": []}])
@blp.response(204, description="The session has ended.")
def logout() -> None:
    """End the session of the access token that is sent.

    All tokens of the session end with it, at once: this one, and the refresh token. Other
    sessions of the same user go on.
    """
    service.logout(tokens.read_access(bearer()).session_id)


@blp.post("/verify-email", refuses=[409])
@blp.arguments(schemas.EmailToken)
@blp.response(200, schemas.Addressed)
def verify_email(given: dict[str, str]) -> dict[str, str]:
    """Prove an address with the token of the letter that was sent to it."""
    return {"email": emails.verify(given["token"])}


@blp.post("/forgot-password")
@blp.arguments(schemas.Forgotten)
@blp.response(204, description="If the address has an account, a letter is on its way.")
def forgot_password(given: dict[str, str]) -> None:
    """Get a letter with a link to choose a new password; the answer tells nothing."""
    recovery.ask_reset(given["email"])


@blp.post("/reset-password")
@blp.arguments(schemas.Reset)
@blp.response(204, description="The password is set, and every session has ended.")
def reset_password(given: dict[str, str]) -> None:
    """Choose a new password with the token of a letter. Nobody is signed in by it."""
    recovery.reset(given["token"], password=given["password"])


@blp.post("/freeze")
@blp.arguments(schemas.EmailToken)
@blp.response(204, description="Nothing leaves the account, and every session has ended.")
def freeze(given: dict[str, str]) -> None:
    """Stop an account with the token of a letter about something you have not done."""
    devices.freeze(given["token"])


def _device() -> devices.Device:
    return devices.Device(request.remote_addr or "", agents.sent())


def _entered(entered: service.SignedIn) -> dict[str, Any]:
    return {**_pair(entered.grant), "user": schemas.with_balance(entered.user, entered.balance)}


def _pair(grant: service.Grant) -> dict[str, str]:
    refresh_token = tokens.issue_refresh(
        grant.user_id, grant.session_id, grant.refresh_id, grant.refresh_life
    )
    access = tokens.issue_access(grant.user_id, grant.session_id)
    return {"token": access, "refresh_token": refresh_token}
