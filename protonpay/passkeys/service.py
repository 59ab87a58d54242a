"""Add, list, rename and remove passkeys, and judge what they sign.

A device signs a challenge that is good once, for five minutes, for one thing and, where somebody
is known already, for one person in one session. Each answer is judged with its user locked, so
that of many at once with the same challenge one is let in. A refusal leaves the challenge.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from protonpay.kernel import clock, ids
from protonpay.kernel.errors import Conflict, Invalid, NotFound, Unauthenticated
from protonpay.mail import service as mail
from protonpay.passkeys.models import Ceremony, Passkey, PasskeyChallenge
from protonpay.passkeys.relying_party import NotProved, credential_id, relying_party, user_handle
from protonpay.store import expired
from protonpay.store.db import LOCK, current, db, transaction
from protonpay.store.lists import Part, newest_first
from protonpay.users import service as users
from protonpay.users.service import User

CHALLENGE_LIFE = timedelta(minutes=5)
MOST_PASSKEYS = 10

_CHALLENGE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Options:
    """What a browser is given for its device.

    Attributes:
        public_key: as ``PublicKeyCredential.parse…OptionsFromJSON`` takes it.
    """

    challenge_id: str
    public_key: Mapping[str, Any]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Proved:
    """Whose passkey has signed, locked in the caller's transaction.

    Attributes:
        copied: the count of signatures stood still or went back: two devices hold the key, so
            it proves nothing any more. Told, not raised: what is written of it must stay.
    """

    user: User
    copied: bool


def begin_adding(user_id: str, *, session_id: str) -> Options:
    """Ask a device for a key; who asks has proved the password.

    Raises:
        Conflict: there are ten already (``too_many_passkeys``).
    """
    with transaction():
        user = users.lock(user_id)
        have = _credential_ids(user_id)
        _check_room(have)
        asked = _ask(Ceremony.ADD, user_id=user_id, bound_to=session_id)
    shown = relying_party.adding(user.id, user.email, user.name, asked.challenge, have)
    return Options(asked.id, shown, asked.expires_at)


def add(
    user_id: str,
    *,
    session_id: str,
    challenge_id: str,
    name: str,
    credential: Mapping[str, Any],
) -> Passkey:
    """Keep the public half of a key that a device has made.

    Raises:
        Invalid: the challenge is used, over or another's, or the answer proves nothing
            (``passkey_invalid``).
        Conflict: there are ten already, or this one is there (``too_many_passkeys``,
            ``duplicate``).
    """
    with transaction() as session:
        users.lock(user_id)
        asked = _standing(challenge_id, Ceremony.ADD, bound_to=session_id)
        if asked is None or asked.user_id != user_id:
            raise _not_added()
        try:
            made = relying_party.added(credential, asked.challenge)
        except NotProved as error:
            raise _not_added() from error
        _check_room(_credential_ids(user_id))
        if _by_credential(made.credential_id) is not None:
            raise Conflict("duplicate", "This passkey is there already.")
        asked.used_at = clock.now()
        passkey = Passkey(
            id=ids.new_id(),
            user_id=user_id,
            name=name,
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            created_at=clock.now(),
        )
        session.add(passkey)
        session.flush()
    return passkey


def begin_signing_in() -> Options:
    """Ask for a signature of whoever is at the door."""
    with transaction():
        asked = _ask(Ceremony.SIGN_IN, user_id=None, bound_to="")
    return Options(asked.id, relying_party.signing(asked.challenge), asked.expires_at)


def begin_second_step(user_id: str, *, sign_in_id: str) -> Options:
    """Ask for a signature of somebody whose password was right.

    Raises:
        Conflict: they have no passkey (``no_passkey``).
    """
    have = _credential_ids(user_id)
    if not have:
        raise Conflict("no_passkey", "This account has no passkey. Send a code to /auth/2fa.")
    with transaction():
        asked = _ask(Ceremony.SECOND_STEP, user_id=user_id, bound_to=sign_in_id)
    return Options(asked.id, relying_party.signing(asked.challenge, have), asked.expires_at)


def prove(
    *, challenge_id: str, credential: Mapping[str, Any], sign_in_id: str | None = None
) -> Proved:
    """Judge a signature, and use its challenge up, in the caller's transaction.

    Args:
        challenge_id: of the options that the device was given.
        credential: what it answered.
        sign_in_id: the sign-in whose second step it is; None if it stands alone.

    Raises:
        Unauthenticated: the challenge is used, over or another's, the passkey is not known, or
            the signature proves nothing (``passkey_invalid``, not told which); the passkey was
            found to be copied before (``passkey_suspended``).
    """
    try:
        found = _by_credential(credential_id(credential))
        handle = user_handle(credential)
    except NotProved as error:
        raise _not_proved() from error
    # A device that is asked for any of its keys says whose it is (§7.2 step 6).
    if found is None or (handle or (found.user_id if sign_in_id else None)) != found.user_id:
        raise _not_proved()
    user = users.lock(found.user_id)
    ceremony = Ceremony.SECOND_STEP if sign_in_id else Ceremony.SIGN_IN
    asked = _standing(challenge_id, ceremony, bound_to=sign_in_id or "")
    if asked is None or asked.user_id not in {None, user.id}:
        raise _not_proved()
    # As it is now: it may have been removed, or used, while we waited for its user.
    passkey = current().get(Passkey, found.id, populate_existing=True)
    if passkey is None:
        raise _not_proved()
    try:
        count = relying_party.signed(credential, asked.challenge, public_key=passkey.public_key)
    except NotProved as error:
        raise _not_proved() from error
    if passkey.suspended_at is not None:
        raise suspended()
    asked.used_at = passkey.used_at = clock.now()
    if (count or passkey.sign_count) and count <= passkey.sign_count:
        passkey.suspended_at = clock.now()
        _tell(user, "passkey_suspended", passkey.name)
        return Proved(user, copied=True)
    passkey.sign_count = count
    return Proved(user, copied=False)


def passkeys(user_id: str, part: Part) -> Sequence[Passkey]:
    """Return a part of a user's passkeys, newest first."""
    return newest_first(Passkey, part, Passkey.user_id == user_id)


def rename(user_id: str, passkey_id: str, *, name: str) -> Passkey:
    """Call a passkey something else.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    with transaction():
        passkey = _own(user_id, passkey_id)
        passkey.name = name
    return passkey


def remove(user_id: str, passkey_id: str) -> None:
    """Take a passkey away; it opens nothing from then on.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    with transaction() as session:
        passkey = _own(user_id, passkey_id)
        session.delete(passkey)
        _tell(users.lock(user_id), "passkey_removed", passkey.name)


def remove_all(user_id: str) -> int:
    """Take every passkey of a user away, in the caller's transaction; return how many.

    Its owner is written of each: who is told of none would not know that somebody asked.
    """
    user = users.lock(user_id)
    gone = current().scalars(
        delete(Passkey).where(Passkey.user_id == user_id).returning(Passkey.name)
    )
    names = gone.all()
    for name in names:
        _tell(user, "passkey_removed", name)
    return len(names)


def suspended() -> Unauthenticated:
    """Return the refusal of a passkey that two devices hold."""
    said = "This passkey may have been copied. Sign in another way, and remove it."
    return Unauthenticated("passkey_suspended", said)


def count(user_id: str) -> int:
    """Return how many passkeys a user has."""
    return len(_credential_ids(user_id))


def _own(user_id: str, passkey_id: str) -> Passkey:
    users.lock(user_id)
    passkey = current().get(Passkey, passkey_id, populate_existing=True)
    if passkey is None or passkey.user_id != user_id:
        raise NotFound("not_found", "There is no such passkey.")
    return passkey


def _ask(ceremony: Ceremony, *, user_id: str | None, bound_to: str) -> PasskeyChallenge:
    now = clock.now()
    expired.drop(PasskeyChallenge)
    asked = PasskeyChallenge(
        id=ids.new_id(),
        ceremony=ceremony,
        user_id=user_id,
        bound_to=bound_to,
        challenge=secrets.token_bytes(_CHALLENGE_BYTES),
        expires_at=now + CHALLENGE_LIFE,
    )
    current().add(asked)
    current().flush()
    return asked


def _standing(challenge_id: str, ceremony: Ceremony, *, bound_to: str) -> PasskeyChallenge | None:
    # Locked: two people with one challenge wait for different users.
    asked = current().get(
        PasskeyChallenge, challenge_id, with_for_update=LOCK, populate_existing=True
    )
    if asked is None or asked.used_at is not None or asked.expires_at <= clock.now():
        return None
    return asked if (asked.ceremony, asked.bound_to) == (ceremony, bound_to) else None


def _credential_ids(user_id: str) -> Sequence[bytes]:
    known = select(Passkey.credential_id).where(Passkey.user_id == user_id)
    return db.session.scalars(known.order_by(Passkey.id)).all()


def _by_credential(known_as: bytes) -> Passkey | None:
    return db.session.scalar(select(Passkey).where(Passkey.credential_id == known_as))


def _check_room(have: Sequence[bytes]) -> None:
    if len(have) >= MOST_PASSKEYS:
        raise Conflict("too_many_passkeys", "At most {limit} passkeys.", limit=MOST_PASSKEYS)


def _not_added() -> Invalid:
    said = "The passkey was not made for this, or too late. Begin again."
    return Invalid("passkey_invalid", said)


def _not_proved() -> Unauthenticated:
    said = "The passkey opens nothing here, or its answer came too late."
    return Unauthenticated("passkey_invalid", said)


def _tell(user: User, template: str, passkey: str) -> None:
    mail.post(
        template,
        to=user.email,
        language=user.language,
        owner_id=user.id,
        name=user.name,
        passkey=passkey,
    )
