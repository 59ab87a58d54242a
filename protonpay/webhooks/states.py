"""The life of a delivery."""

from protonpay.kernel.states import StateMachine

DELIVERY = StateMachine(
    "delivery",
    initial="PENDING",
    moves={
        "PENDING": ("DELIVERED", "EXHAUSTED", "CANCELLED"),
        # Its owner asks for it once more.
        "DELIVERED": ("PENDING",),
        "EXHAUSTED": ("PENDING",),
        "CANCELLED": ("PENDING",),
    },
)
