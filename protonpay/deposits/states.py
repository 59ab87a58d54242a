"""The life of a deposit."""

from protonpay.kernel.states import StateMachine

DEPOSIT = StateMachine(
    "deposit",
    initial="PENDING",
    moves={
        "PENDING": ("CONFIRMED", "FAILED", "EXPIRED", "REVIEW", "VANISHED", "ON_HOLD"),
        # Money that moved late has moved: a failure told before it does not undo it.
        "FAILED": ("CONFIRMED", "REVIEW"),
        "EXPIRED": ("CONFIRMED", "REVIEW"),
        # Paid, but not as ordered: a person decides.
        "REVIEW": ("CONFIRMED", "FAILED", "CLOSED"),
        # Its sender is listed: a person decides whether it is credited or sent back.
        "ON_HOLD": ("CONFIRMED", "RETURNED"),
        # Refunds and chargebacks seen later; how much is a member of the deposit.
        "CONFIRMED": ("PARTIALLY_REFUNDED", "REFUNDED"),
        "PARTIALLY_REFUNDED": ("REFUNDED",),
        # Seen on chain, and taken out again by a reorg; a later block may have it anew.
        "VANISHED": ("PENDING",),
    },
)

CREDITED = ("CONFIRMED", "PARTIALLY_REFUNDED", "REFUNDED")
"""The states of a deposit whose money was credited, whatever was taken back since."""

SHOWN = {
    "REVIEW": "PENDING",
    "CLOSED": "FAILED",
    "VANISHED": "FAILED",
    "RETURNED": "REFUNDED",
}
"""What a client sees: under review is not decided; what was closed or vanished did not come."""


def shown(state: str) -> str:
    """Return the state a client sees."""
    return SHOWN.get(state, state)


STATUSES = tuple(dict.fromkeys(shown(state) for state in DEPOSIT.states))
"""Every state a client can see."""


def behind(status: str | None) -> tuple[str, ...]:
    """Return the states that a client sees as this one; none of them for None."""
    return DEPOSIT.behind(status, shown) if status else ()
