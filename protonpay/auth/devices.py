"""Where people sign in from, and what they can do when it was not them."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select

from protonpay.auth import email_tokens, sessions
from protonpay.auth.models import AuthSession, TokenPurpose
from protonpay.kernel import clock
from protonpay.mail import service as mail
from protonpay.mail.service import office
from protonpay.store.db import current, transaction
from protonpay.telegram import service as telegram
from protonpay.users import service as users
from protonpay.users.service import User

FREEZE_PAGE = "/freeze"


@dataclass(frozen=True, slots=True)
class Device:
    """Where a sign-in came from, for its owner to recognise."""

    address: str
    agent: str


def tell_of_new(user: User, device: Device) -> None:
    """Write to a user whom somebody signs in as from a device that was not seen before.

    A device is an address and a program: thieves have neither, as a rule. In the caller's
    transaction, before the session is opened. Nobody is told of the device that an account
    was opened from.
    """
    seen = select(func.count(), func.bool_or(_same(device))).where(AuthSession.user_id == user.id)
    count, known = current().execute(seen).one()
    if not count or known:
        return
    mail.post(
        "new_device",
        to=user.email,
        language=user.language,
        owner_id=user.id,
        name=user.name,
        device=device.agent or "-",
        address=device.address,
        moment=f"{clock.now():%Y-%m-%d %H:%M} UTC",
        link=freeze_link(user),
    )


def freeze_link(user: User) -> str:
    """Return a link that stops an account, for a letter, in the caller's transaction."""
    return office.page(FREEZE_PAGE, email_tokens.issue(user, TokenPurpose.FREEZE, user.email))


def freeze(token: str) -> None:
    """Stop what leaves an account, and end all of its sessions, for who reads its letters.

    Raises:
        Invalid: the link is used or over (``invalid_link``).
    """
    with transaction():
        user = email_tokens.take(token, TokenPurpose.FREEZE).user
        users.freeze_withdrawals(user)
        # Whoever it was may have linked a chat of theirs, or have asked for an address of theirs.
        telegram.drop(user)
        email_tokens.void(user, TokenPurpose.CHANGE)
        sessions.end_all_of(user.id, "frozen")
        mail.post(
            "withdrawals_frozen",
            to=user.email,
            language=user.language,
            owner_id=user.id,
            name=user.name,
        )


def _same(device: Device) -> ColumnElement[bool]:
    return and_(AuthSession.address == device.address, AuthSession.agent == device.agent)
