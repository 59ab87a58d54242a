"""Signing in with two steps, and a second factor for who proves the password (API ref. §11)."""

from collections.abc import Sequence

from protonpay.auth import factor_resets, failures, service, sessions
from protonpay.auth.devices import Device
from protonpay.auth.models import SignInChallenge
from protonpay.auth.service import SignedIn
from protonpay.auth.shown import shown
from protonpay.kernel import clock
from protonpay.kernel.errors import Unauthenticated
from protonpay.store.db import current, transaction
from protonpay.two_factor import service as two_factor
from protonpay.two_factor.service import Setup
from protonpay.users import service as users


def complete(*, challenge_id: str, user_id: str, code: str, device: Device) -> SignedIn:
    """Open the session whose password was proved, with a code.

    A wrong code leaves the challenge as it is, until its five minutes are over.

    Raises:
        Unauthenticated: a wrong code (``two_factor_invalid``); the challenge was used, or its
            time is over (``invalid_token``).
        Forbidden: the account is suspended (``account_suspended``).
        Limited: too many wrong codes (``rate_limited``).
    """
    wrong = failures.noted(user_id, failures.CODE, device, "two_factor_invalid")
    with wrong, transaction():
        # Locked first: of two with the same challenge the second finds it used.
        user = users.lock(user_id)
        challenge = waiting(challenge_id, user_id)
        two_factor.take(user, code)
        factor_resets.stop(user)
        challenge.used_at = clock.now()
        return service.enter(user, device)


def waiting(challenge_id: str, user_id: str) -> SignInChallenge:
    """Return a sign-in that waits for its second step; the caller has its user locked.

    Raises:
        Unauthenticated: it was finished, its time is over, or it is another's
            (``invalid_token``).
    """
    found = current().get(SignInChallenge, challenge_id, populate_existing=True)
    if found is None or found.user_id != user_id or not found.stands(clock.now()):
        raise Unauthenticated("invalid_token", "The token is not valid.")
    return found


def begin(user_id: str, *, password: str) -> Setup:
    """Make a secret for an app of who knows the password.

    Raises:
        Unauthenticated: wrong password (``invalid_credentials``).
        Conflict: there is a second factor already (``two_factor_enabled``).
    """
    known = shown(user_id, password)
    with transaction():
        known.lock()
        return two_factor.begin(user_id)


def enable(user_id: str, *, session_id: str, code: str) -> Sequence[str]:
    """Take the first code of an app, and end the other sessions; return the recovery codes.

    Raises:
        Conflict: as ``two_factor.enable``.
        Unauthenticated: a wrong code (``two_factor_invalid``).
        Limited: too many wrong ones (``rate_limited``).
    """
    with transaction():
        codes = two_factor.enable(user_id, code)
        factor_resets.stop(users.lock(user_id))  # the new app is not the one that was lost
        sessions.end_all_of(user_id, "two_factor_changed", but=session_id)
    return codes


def disable(user_id: str, *, session_id: str, password: str) -> None:
    """Take the second factor away, of who has proved it, and end the other sessions.

    Raises:
        Unauthenticated: wrong password (``invalid_credentials``).
    """
    known = shown(user_id, password)
    with transaction():
        factor_resets.forget(known.lock())
        two_factor.disable(user_id)
        sessions.end_all_of(user_id, "two_factor_changed", but=session_id)
