"""The life of a mismatch between the book and the world."""

from protonpay.kernel.states import StateMachine

CASE = StateMachine(
    "reconciliation case",
    initial="SEEN",
    moves={
        # Seen once it may be a race; only what a later look still finds is a case.
        "SEEN": ("OPEN",),
        "OPEN": ("RESOLVED",),
    },
)
