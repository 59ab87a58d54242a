"""The life of a deposit."""

from protonpay.kernel.states import StateMachine

DEPOSIT = StateMachine(
    "deposit",
    initial="PENDING",
    moves={
        "PENDING": ("CONFIRMED", "FAILED", "EXPIRED", "REVIEW"),
        # Money that moved late has moved: a failure told before it does not undo it.
        "FAILED": ("CONFIRMED", "REVIEW"),
        "EXPIRED": ("CONFIRMED", "REVIEW"),
        # Paid, but not as ordered: a person decides.
        "REVIEW": ("CONFIRMED", "FAILED", "CLOSED"),
        # Refunds and chargebacks seen later; how much is a member of the deposit.
        "CONFIRMED": ("PARTIALLY_REFUNDED", "REFUNDED"),
        "PARTIALLY_REFUNDED": ("REFUNDED",),
    },
)

CREDITED = ("CONFIRMED", "PARTIALLY_REFUNDED", "REFUNDED")
"""The states of a deposit whose money was credited, whatever was taken back since."""

SHOWN = {"REVIEW": "PENDING", "CLOSED": "FAILED"}
"""What a client sees: under review is not decided; closed without a credit is no deposit."""


VISIBLE = tuple(state for state in DEPOSIT.states if state not in SHOWN)
"""The states a client can see."""


def shown(state: str) -> str:
    """Return the state a client sees."""
    return SHOWN.get(state, state)
