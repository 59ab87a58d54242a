"""The life of an invitation."""

from protonpay.kernel.states import StateMachine

INVITATION = StateMachine(
    "invitation",
    initial="PENDING",
    # Its time ends by the clock: it is sent again, or stays as it is.
    moves={"PENDING": ("ACCEPTED", "REVOKED")},
)
