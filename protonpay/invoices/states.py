"""The life of an invoice, of each payment of it, and of what is given back."""

from dataclasses import dataclass

from protonpay.kernel.money import Usdc
from protonpay.kernel.states import StateMachine

INVOICE = StateMachine(
    "invoice",
    initial="PENDING",
    moves={
        # Given back while it is open: the part that a card had paid, by its bank.
        "PENDING": (
            *("CONFIRMING", "PAID", "EXPIRED", "CANCELLED"),
            *("PARTIALLY_REFUNDED", "REFUNDED"),
        ),
        # Back when a reorg took the payment out, or when it was only a part.
        "CONFIRMING": ("PENDING", "PAID", "EXPIRED", "PARTIALLY_REFUNDED", "REFUNDED"),
        "PAID": ("PARTIALLY_REFUNDED", "REFUNDED"),
        # Paid late, if its owner takes that; or seen in time and final only now.
        "EXPIRED": ("PAID", "PARTIALLY_REFUNDED", "REFUNDED"),
        "CANCELLED": ("PARTIALLY_REFUNDED", "REFUNDED"),
        "PARTIALLY_REFUNDED": ("REFUNDED",),
        # Somebody paid again after all was given back.
        "REFUNDED": ("PARTIALLY_REFUNDED",),
    },
)
PAYMENT = StateMachine(
    "invoice payment",
    initial="SEEN",
    moves={
        "SEEN": ("CREDITED", "VANISHED", "ON_HOLD"),
        # Its sender is listed: a person decides whether it is credited or sent back.
        "ON_HOLD": ("CREDITED", "RETURNED"),
        # A transaction that a reorg took out may be put into a later block.
        "VANISHED": ("SEEN",),
    },
)
REFUND = StateMachine(
    "invoice refund",
    initial="PENDING",
    moves={"PENDING": ("COMPLETED", "FAILED")},
)
CARD = StateMachine(
    "invoice card page",
    initial="OPEN",
    moves={
        "OPEN": ("PROCESSING", "PAID", "DECLINED", "EXPIRED", "REVIEW"),
        # Its payer came back from the provider: the bank may have taken the money already.
        "PROCESSING": ("PAID", "DECLINED", "EXPIRED", "REVIEW"),
        # Money that moved late has moved: a failure told before it does not undo it.
        "DECLINED": ("PAID", "REVIEW"),
        "EXPIRED": ("PAID", "REVIEW"),
        # Paid, but not as ordered: a person decides.
        "REVIEW": ("PAID", "DECLINED"),
    },
)
CLAIM = StateMachine(
    "invoice claim",
    initial="OPEN",
    # Once approved it is a refund, and ends as that does.
    moves={"OPEN": ("APPROVED", "DECLINED")},
)
_FOUND_OUT = ("FOUND", "WRONG_TOKEN", "ELSEWHERE", "FAILED")
LOOKUP = StateMachine(
    "invoice lookup",
    initial="LOOKING",
    moves={
        # Looking until a network has answered; what it does not know yet may come.
        "LOOKING": ("COMING", "NOT_FOUND", *_FOUND_OUT),
        "COMING": ("NOT_FOUND", *_FOUND_OUT),
        "NOT_FOUND": ("LOOKING", "COMING", *_FOUND_OUT),
    },
)
LOOKUP_OPEN = ("LOOKING", "COMING", "NOT_FOUND")
"""A transaction that is asked about again, for a while."""
LOOKUP_TRIES = 30
"""How often: with the waits between, two hours."""
CARD_ALIVE = ("OPEN", "PROCESSING", "REVIEW")
"""A card page by which money may still come: no other is opened beside it."""
CARD_COMING = ("PROCESSING", "REVIEW")
"""The money may be on its way: its payer must not be asked to pay again."""

_SHOWN = {
    "SEEN": "PENDING",
    "CREDITED": "CONFIRMED",
    "VANISHED": "FAILED",
    "RETURNED": "REFUNDED",
}


def shown(state: str) -> str:
    """Return the state of a payment as a history shows it: in the words of a deposit."""
    return _SHOWN.get(state, state)


STATUSES = ("PENDING", "CONFIRMED", "ON_HOLD", "REFUNDED")
"""What a history shows of payments; one that vanished did not come."""


def behind(status: str | None) -> tuple[str, ...]:
    """Return the states of payments that a history shows as this one."""
    return PAYMENT.behind(status, shown) if status else ()


OPEN = ("PENDING", "CONFIRMING")
"""An invoice that can still be paid in time."""
UNDECIDED = (*OPEN, "EXPIRED")
"""An invoice whose payments still decide what it becomes."""
CLOSED = ("CANCELLED", "PARTIALLY_REFUNDED", "REFUNDED")
"""Ended by its owner: what comes now is theirs, and pays nothing any more."""
REFUNDABLE = ("PAID", "EXPIRED", *CLOSED)


@dataclass(frozen=True, slots=True)
class Received:
    """What came for an invoice.

    Attributes:
        in_time: credited, of payments that were there before the end.
        late: credited, of payments that came after it.
        confirming: seen on chain before the end, not final.
    """

    in_time: Usdc
    late: Usdc
    confirming: Usdc

    @property
    def total(self) -> Usdc:
        """All that was credited to the owner."""
        return self.in_time + self.late


@dataclass(frozen=True, slots=True)
class Terms:
    """When an invoice counts as paid.

    Attributes:
        tolerance: it is paid if at most so much is missing.
        accept_late: what comes after the end may pay it too.
    """

    amount: Usdc
    tolerance: Usdc
    accept_late: bool


def become(state: str, terms: Terms, received: Received, refunded: Usdc, *, over: bool) -> str:
    """Return the state that follows from the money.

    Args:
        state: of the invoice now.
        terms: of the invoice.
        received: so far.
        refunded: given back of it.
        over: its time has passed.
    """
    if refunded:
        return "PARTIALLY_REFUNDED" if refunded < received.total else "REFUNDED"
    if state not in UNDECIDED:
        return state
    counted = received.total if terms.accept_late else received.in_time
    if not counted < terms.amount - terms.tolerance:
        return "PAID"
    if state == "EXPIRED":
        return state
    # What was there in time is waited for, however long its network takes.
    if received.confirming:
        return "CONFIRMING"
    return "EXPIRED" if over else "PENDING"
