"""The life of a letter."""

from protonpay.kernel.states import StateMachine

LETTER = StateMachine(
    "letter", initial="PENDING", moves={"PENDING": ("SENT", "REFUSED", "EXPIRED")}
)
