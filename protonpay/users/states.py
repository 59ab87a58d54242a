"""The standing of an account, and how well its owner is known."""

from protonpay.kernel.states import StateMachine

STANDING = StateMachine(
    "standing",
    initial="ACTIVE",
    moves={
        "ACTIVE": ("SUSPENDED",),
        "SUSPENDED": ("ACTIVE",),
    },
)

LEVELS = range(1, 4)
"""How well somebody is known whose identity is approved; 0 is whose is not."""
