"""The life of a test payment."""

from protonpay.kernel.states import StateMachine

TEST_PAYMENT = StateMachine(
    "test payment",
    initial="PENDING",
    moves={
        # FAILED: its node stayed away.
        "PENDING": ("SENDING", "FAILED"),
        # Written down before it is sent: what dies in between may have been sent, and is not again.
        "SENDING": ("SENT", "FAILED", "UNKNOWN"),
    },
)
