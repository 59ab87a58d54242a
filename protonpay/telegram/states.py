"""The life of a message."""

from protonpay.kernel.states import StateMachine

MESSAGE = StateMachine(
    "message", initial="PENDING", moves={"PENDING": ("SENT", "REFUSED", "EXPIRED", "DROPPED")}
)
