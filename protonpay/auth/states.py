"""The life of a refresh token."""

from protonpay.kernel.states import StateMachine

REFRESH = StateMachine("refresh token", initial="ACTIVE", moves={"ACTIVE": ("USED",)})
