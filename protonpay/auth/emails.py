"""The account's address: prove it, change it."""

from protonpay.auth import devices, email_tokens
from protonpay.auth.email_tokens import Taken
from protonpay.auth.models import TokenPurpose
from protonpay.auth.shown import shown
from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict
from protonpay.mail import service as mail
from protonpay.mail.service import office
from protonpay.store.db import transaction
from protonpay.users import service as users
from protonpay.users.service import User, email_key

VERIFY_PAGE = "/verify-email"


def write_verification(user: User) -> None:
    """Send a link that proves the account's address, in the caller's transaction.

    Raises:
        Limited: five were written within the hour (``too_many_letters``).
    """
    token = email_tokens.issue(user, TokenPurpose.VERIFY, user.email)
    link = office.page(VERIFY_PAGE, token)
    mail.post(
        "verify_email",
        to=user.email,
        language=user.language,
        useful_for=email_tokens.LIFE[TokenPurpose.VERIFY],
        name=user.name,
        link=link,
    )


def ask_verification(user_id: str) -> str:
    """Send the link once more; the older one is void. Return where it goes.

    Raises:
        Conflict: the address is verified (``already_verified``).
        Limited: five were written within the hour (``too_many_letters``).
    """
    with transaction():
        user = users.lock(user_id)
        if user.email_verified_at is not None:
            raise Conflict("already_verified", "This e-mail address is verified already.")
        write_verification(user)
    return user.email


def ask_change(user_id: str, *, email: str, password: str) -> None:
    """Send a link to a new address; the account has it once the link is used.

    Raises:
        Unauthenticated: wrong password (``invalid_credentials``).
        Conflict: the address has an account (``email_taken``).
        Limited: five were written within the hour (``too_many_letters``).
    """
    known = shown(user_id, password)
    with transaction():
        user = known.lock()
        holder = users.find_by_email(email)
        if holder is not None and (holder.id != user.id or holder.email == email):
            raise Conflict("email_taken", "This e-mail address has an account already.")
        token = email_tokens.issue(user, TokenPurpose.CHANGE, email)
        mail.post(
            "change_email",
            to=email,
            language=user.language,
            useful_for=email_tokens.LIFE[TokenPurpose.CHANGE],
            name=user.name,
            link=office.page(VERIFY_PAGE, token),
        )


def verify(token: str) -> str:
    """Take a link of either kind: the address it was sent to is the account's, and proved.

    Returns:
        The address.

    Raises:
        Invalid: the link is used, replaced or over (``invalid_link``).
        Conflict: somebody has opened an account with the new address (``email_taken``).
    """
    with transaction():
        taken = email_tokens.take(token, TokenPurpose.VERIFY, TokenPurpose.CHANGE)
        if taken.purpose is TokenPurpose.CHANGE:
            _change(taken)
        else:
            taken.user.email_verified_at = taken.user.email_verified_at or clock.now()
    return taken.address


def _change(taken: Taken) -> None:
    user, before = taken.user, taken.user.email
    users.set_email(user, taken.address)
    if email_key(before) == user.email_key:
        return
    # The owner hears of it where a thief of the session does not read.
    mail.post(
        "email_changed",
        to=before,
        language=user.language,
        owner_id=user.id,
        name=user.name,
        address=user.email,
        link=devices.freeze_link(user),
    )
