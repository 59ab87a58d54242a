"""The life of a sweep, and of one transaction that carries sweeps."""

from protonpay.kernel.states import StateMachine

SWEEP = StateMachine(
    "sweep",
    initial="PLANNED",
    moves={
        # Held: nothing may leave the address now. It is asked again, and is never given up.
        "PLANNED": ("SIGNED", "HELD"),
        "HELD": ("PLANNED",),
        # Back to PLANNED only on proof that what was signed can never move it.
        "SIGNED": ("SWEPT", "PLANNED"),
    },
)

BATCH = StateMachine(
    "sweep transaction",
    initial="SIGNED",
    moves={
        "SIGNED": ("SENT",),
        "SENT": ("LANDED", "FAILED", "LOST"),
    },
)
