"""Signing in with a passkey, alone or after the password, and adding one."""

from collections.abc import Mapping
from typing import Any

import structlog

from protonpay.auth import devices, factor_resets, failures, service, sessions, two_steps
from protonpay.auth.devices import Device
from protonpay.auth.models import FactorReset
from protonpay.auth.service import SignedIn
from protonpay.auth.shown import shown
from protonpay.kernel import clock
from protonpay.mail import service as mail
from protonpay.passkeys import service as passkeys
from protonpay.passkeys.models import Passkey
from protonpay.passkeys.service import Options
from protonpay.store.db import transaction
from protonpay.store.jobs import Later
from protonpay.two_factor import service as two_factor
from protonpay.users import service as users

log = structlog.get_logger(__name__)

_WRONG = ("passkey_invalid", "passkey_suspended")


def begin_adding(user_id: str, *, session_id: str, password: str) -> Options:
    """Ask a device of who knows the password for a key.

    Raises:
        Unauthenticated: wrong password (``invalid_credentials``).
        Conflict: there are ten already (``too_many_passkeys``).
    """
    known = shown(user_id, password)
    with transaction():
        known.lock()
        return passkeys.begin_adding(user_id, session_id=session_id)


def add(
    user_id: str, *, session_id: str, challenge_id: str, name: str, credential: Mapping[str, Any]
) -> Passkey:
    """Keep a passkey, and write to its owner, with a link for who has not added it.

    Raises:
        Invalid, Conflict: as ``passkeys.add``.
    """
    with transaction():
        made = passkeys.add(
            user_id,
            session_id=session_id,
            challenge_id=challenge_id,
            name=name,
            credential=credential,
        )
        user = users.lock(user_id)
        mail.post(
            "passkey_added",
            to=user.email,
            language=user.language,
            owner_id=user.id,
            name=user.name,
            passkey=name,
            link=devices.freeze_link(user),
        )
    return made


def sign_in(*, challenge_id: str, credential: Mapping[str, Any], device: Device) -> SignedIn:
    """Open a session for who has a passkey, and has shown the device who they are.

    No code of an app is asked for: the device and the look or the PIN that it asks for are two
    factors themselves.

    Raises:
        Unauthenticated: as ``passkeys.prove``.
        Forbidden: the account is suspended (``account_suspended``).
    """
    with transaction():
        proved = passkeys.prove(challenge_id=challenge_id, credential=credential)
        if not proved.copied:
            factor_resets.stop(proved.user)
            return service.enter(proved.user, device)
    raise passkeys.suspended()


def begin_second_step(user_id: str, *, sign_in_id: str) -> Options:
    """Ask for a signature of somebody whose password was right.

    Raises:
        Unauthenticated: the sign-in was finished, or its time is over (``invalid_token``).
        Conflict: they have no passkey (``no_passkey``).
    """
    with transaction():
        users.lock(user_id)
        two_steps.waiting(sign_in_id, user_id)
        return passkeys.begin_second_step(user_id, sign_in_id=sign_in_id)


def second_step(
    user_id: str,
    *,
    sign_in_id: str,
    challenge_id: str,
    credential: Mapping[str, Any],
    device: Device,
) -> SignedIn:
    """Open the session whose password was proved, with a passkey in place of a code.

    Raises:
        Unauthenticated: as ``passkeys.prove``, or as ``begin_second_step``.
        Forbidden: the account is suspended (``account_suspended``).
    """
    with failures.noted(user_id, failures.PASSKEY, device, *_WRONG):
        with transaction():
            users.lock(user_id)
            sign_in_waits = two_steps.waiting(sign_in_id, user_id)
            proved = passkeys.prove(
                challenge_id=challenge_id, credential=credential, sign_in_id=sign_in_id
            )
            if not proved.copied:
                sign_in_waits.used_at = clock.now()
                factor_resets.stop(proved.user)
                return service.enter(proved.user, device)
        raise passkeys.suspended()


def reset_due(reset_id: str) -> Later | None:
    """Take passkeys and app of somebody away who has lost them, once that is due, and not before.

    All of their sessions end. Of what was stopped nothing is left to do.
    """
    with transaction() as session:
        found = session.get(FactorReset, reset_id)
        if found is None:
            return None
        user = users.lock(found.user_id)
        # Its owner may have stopped it while we waited for the lock.
        waiting = session.get(FactorReset, reset_id, populate_existing=True)
        if waiting is None:
            return None
        left = (waiting.due_at - clock.now()).total_seconds()
        if left > 0:
            return Later(left, "not due yet")
        factor_resets.forget(user)
        passkeys.remove_all(user.id)
        two_factor.disable(user.id)
        sessions.end_all_of(user.id, "two_factor_changed")
        log.info("second_factor_reset", user_id=user.id)
    return None
