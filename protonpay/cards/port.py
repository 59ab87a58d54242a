"""What every card provider can do for us, and the three ways each call may end.

A call ends with a value (yes), ``Rejected`` (no) or ``NoAnswer`` of the wire (unknown).
Unknown is asked again with the same reference and never becomes a no.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from protonpay.kernel.fiat import FiatAmount

_LONGEST = 300


def plain(foreign: str) -> str:
    """Return a foreign text as it can be kept and shown: short, and nothing that steers.

    Control characters, NUL and halves of characters, none of which a database or a terminal
    takes, are each one U+FFFD.
    """
    return "".join(c if c.isprintable() else "\ufffd" for c in foreign[:_LONGEST])


class Rejected(Exception):
    """The provider answered no; repeating the same words would get the same answer.

    Attributes:
        reason: the provider's code and text, for logs and support, without secrets.
    """

    def __init__(self, reason: str) -> None:
        self.reason = plain(reason)
        super().__init__(self.reason)


class KeyRefused(Rejected):
    """The provider does not accept our key: an operator must look, a payer can do nothing."""


class Forged(Exception):
    """A callback that the provider did not send, or not in this form."""


class CardStatus(StrEnum):
    """Where a payment stands, over all providers (card-providers, internal mapping)."""

    PENDING = "PENDING"
    CAPTURED = "CAPTURED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    UNRESOLVED = "UNRESOLVED"
    """The provider itself does not know, or says a word we do not: ask again."""


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """What a hosted payment page needs.

    Attributes:
        reference: our deposit id; the provider echoes it and, where it has one,
            takes it as its idempotency key: the same reference never makes two sessions.
        return_url: where the payer's browser goes afterwards; proves nothing.
        callback_url: where the provider tells us.
    """

    reference: str
    amount: FiatAmount
    description: str
    customer_name: str
    customer_email: str
    return_url: str
    callback_url: str


@dataclass(frozen=True, slots=True)
class CardSession:
    """A hosted page that waits for its payer."""

    provider_ref: str
    url: str


@dataclass(frozen=True, slots=True)
class CardPayment:
    """A payment as the provider itself reports it when asked.

    Attributes:
        reference: our deposit id as the provider stores it; another, ``plain``, is a stranger's.
        live: True for real money, False for the provider's test mode.
        refunded: the part given back later (refund or chargeback); zero while none.
        reason: the provider's code for an end without money, ``plain``, for support.
    """

    provider_ref: str
    reference: str
    status: CardStatus
    amount: FiatAmount
    live: bool
    refunded: FiatAmount
    reason: str | None = None

    def __post_init__(self) -> None:
        # Here, so that no adapter need think of it.
        object.__setattr__(self, "reference", plain(self.reference))
        object.__setattr__(self, "reason", None if self.reason is None else plain(self.reason))


@dataclass(frozen=True, slots=True)
class Seen:
    """A payment in a provider's list: enough to know whose it is.

    Attributes:
        reference: our deposit id as the provider stores it; another, ``plain``, is a stranger's.
        amount: as it was paid.
    """

    provider_ref: str
    reference: str
    amount: FiatAmount

    def __post_init__(self) -> None:
        object.__setattr__(self, "reference", plain(self.reference))


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of the payments that a provider has money of.

    Attributes:
        after: where the next page begins; None at the end.
    """

    payments: Sequence[Seen]
    after: str | None


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """A callback as it reached us: header names in lower case, the body's exact bytes."""

    headers: Mapping[str, str]
    body: bytes
    remote_addr: str
    path: str


@dataclass(frozen=True, slots=True)
class CardCallback:
    """An authentic callback: a reason to ask the provider, never the evidence itself.

    Attributes:
        event_id: the same for repeats of one message, different for every other.
        answer: the body to answer with, which some providers check.
    """

    provider_ref: str
    event_id: str
    answer: bytes = b"ok"
    answer_type: str = "text/plain"


class CardProvider(Protocol):
    """One provider. An instance belongs to one merchant account and holds its keys."""

    name: str
    currencies: frozenset[str]

    def create_session(self, request: SessionRequest) -> CardSession:
        """Open a hosted payment page; the same reference gives the same session.

        Raises:
            Rejected: the provider will not take this payment.
            NoAnswer: unknown; repeat with the same reference.
        """

    def read_callback(self, request: CallbackRequest) -> CardCallback:
        """Authenticate a callback and say which payment it speaks of. No network.

        Raises:
            Forged: wrong or missing signature, or not this provider's form.
        """

    def fetch_payment(self, provider_ref: str) -> CardPayment:
        """Ask the provider where a payment stands.

        Raises:
            Rejected: the provider knows no such payment, or refuses our key.
            NoAnswer: unknown; ask again.
        """

    def paid_since(self, since: datetime, after: str | None) -> Listed | None:
        """List payments that were captured since a moment; None where there is no such list.

        Raises:
            Rejected: it refuses our key, or the place to go on from.
            NoAnswer: unknown; ask again.
        """
