"""The standing of an account."""

from protonpay.kernel.states import StateMachine

STANDING = StateMachine(
    "standing",
    initial="ACTIVE",
    moves={
        "ACTIVE": ("SUSPENDED",),
        "SUSPENDED": ("ACTIVE",),
    },
)
