"""Who would be paid: so much of a name that money for somebody else is noticed, and no more.

A public id cannot be guessed (32^8 of them): who has one was given it. An e-mail address can be, so
of an address nothing is looked up, and nothing told that would differ if it had an account.
"""

import unicodedata
from dataclasses import dataclass

from protonpay.kernel import ids
from protonpay.kernel.errors import Invalid, NotFound
from protonpay.users import service as users
from protonpay.users.service import Party

_WORDS = 2
_REST = "…"


@dataclass(frozen=True, slots=True)
class Payee:
    """Whom an identifier names.

    Attributes:
        to_identifier: as it was asked for.
        name: masked ("A… P…"); None of an e-mail address, and of a name without a letter.
    """

    to_identifier: str
    name: str | None


def look(sender_id: str, *, to_identifier: str) -> Payee:
    """Return whom a transfer would pay; what it would refuse for its recipient is refused.

    Raises:
        NotFound: nobody has this public id, or it is no e-mail address either
            (``recipient_not_found``). Not of an address: that nobody has it is not told.
        Invalid: it is the sender (``self_transfer``).
        Forbidden: nothing leaves the account (``account_suspended``, ``withdrawals_frozen``).
    """
    if ids.PUBLIC_ID_PATTERN.fullmatch(to_identifier):
        _, recipient = find_parties(sender_id, to_identifier)
        return Payee(to_identifier, mask(recipient.name))
    sender = users.get(sender_id)
    users.check_may_spend(sender)
    key = users.email_key(to_identifier)
    if "@" not in key:
        raise _nobody()
    if key == sender.email_key:
        raise _oneself()
    return Payee(to_identifier, None)


def find_parties(sender_id: str, to_identifier: str) -> tuple[Party, Party]:
    """Return the two sides of a transfer.

    Raises:
        NotFound: nobody is there (``recipient_not_found``).
        Invalid: to oneself (``self_transfer``).
        Forbidden: nothing leaves the account (``account_suspended``, ``withdrawals_frozen``).
    """
    sender, recipient = users.find_parties(sender_id, to_identifier)
    if recipient is None:
        raise _nobody()
    if recipient.user_id == sender.user_id:
        raise _oneself()
    return sender, recipient


def mask(name: str) -> str | None:
    """Return the first letter of each of the first two words that have one; None if none has.

    A digit counts as a letter; signs, emoji and marks of direction do not. A letter and its accent
    are one where Unicode has them as one; a mark that stands for itself is left out.
    """
    words = unicodedata.normalize("NFC", name).split()
    firsts = [next(filter(str.isalnum, word), "") for word in words]
    shown = [first + _REST for first in firsts if first][:_WORDS]
    return " ".join(shown) or None


def _nobody() -> NotFound:
    return NotFound("recipient_not_found", "Nobody has this e-mail address or public id.")


def _oneself() -> Invalid:
    return Invalid("self_transfer", "A transfer needs another user.")
