"""The life of a second factor; taking it away removes it."""

from protonpay.kernel.states import StateMachine

FACTOR = StateMachine("second factor", initial="PENDING", moves={"PENDING": ("ENABLED",)})
