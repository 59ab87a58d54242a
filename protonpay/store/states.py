"""How far an operation under an idempotency key has come."""

from protonpay.kernel.states import StateMachine

OPERATION = StateMachine(
    "operation under a key",
    initial="STARTED",
    moves={
        # What needs nobody outside commits whole: its row is COMPLETED from the beginning.
        "STARTED": ("PROVIDER_CALLED", "COMPLETED"),
        "PROVIDER_CALLED": ("COMPLETED",),
    },
)
