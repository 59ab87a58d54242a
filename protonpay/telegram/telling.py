"""Tell the owner of an account of a kind of thing where they have chosen to be told of it."""

from collections.abc import Mapping
from datetime import timedelta

from protonpay.mail import service as mail
from protonpay.telegram import messages
from protonpay.users import service as users
from protonpay.users.service import User


def tell(
    owner: User,
    kind: str,
    template: str,
    values: Mapping[str, str],
    *,
    useful_for: timedelta = mail.USEFUL_FOR,
    page: str | None = None,
) -> None:
    """Write by letter, in Telegram, both or neither, in the caller's transaction.

    Args:
        owner: whom.
        kind: one of ``notices.LETTERS``.
        template: one of ``mail/templates``.
        values: exactly what the template names.
        useful_for: after that the letter is not sent any more.
        page: where a message leads, if the letter names no ``link``.

    Raises:
        ValueError: as ``mail.post``.
    """
    if users.wants_letter(owner, kind):
        mail.post(
            template, to=owner.email, language=owner.language, useful_for=useful_for, **values
        )
    if users.wants_message(owner, kind):
        said = values if page is None else {**values, "link": page}
        messages.post(owner, template, **said)
