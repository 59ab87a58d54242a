"""The life of an adjustment."""

from protonpay.kernel.states import StateMachine

ADJUSTMENT = StateMachine(
    "adjustment", initial="PROPOSED", moves={"PROPOSED": ("POSTED", "REFUSED")}
)
