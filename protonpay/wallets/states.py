"""The life of a transfer that reached one of our addresses."""

from protonpay.kernel.states import StateMachine

INCOMING = StateMachine(
    "incoming",
    initial="SEEN",
    moves={
        "SEEN": ("FINAL", "VANISHED"),
        # A transaction that a reorg took out may be put into a later block.
        "VANISHED": ("SEEN",),
    },
)
