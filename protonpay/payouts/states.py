"""The life of a payout, and of one attempt to send it."""

from protonpay.kernel.states import StateMachine

PAYOUT = StateMachine(
    "payout",
    initial="PENDING",
    moves={
        # Straight to COMPLETED only when the chain already bears the payout's mark.
        "PENDING": ("SIGNED", "FAILED", "COMPLETED", "ON_HOLD"),
        # Its payee is listed: a person decides.
        "ON_HOLD": ("PENDING", "FAILED"),
        # Back to PENDING only on proof that the old send can never land.
        "SIGNED": ("SENT", "PENDING"),
        "SENT": ("COMPLETED", "FAILED", "PENDING"),
    },
)

ATTEMPT = StateMachine(
    "payout attempt",
    initial="OPEN",
    moves={"OPEN": ("LANDED", "FAILED", "LOST")},
)

PAYEE_LOOK = StateMachine(
    "look at a payee",
    initial="LOOKING",
    moves={
        "LOOKING": ("WALLET", "CONTRACT", "UNKNOWN"),
        # Nobody answered, or what was found is old: asked anew.
        "UNKNOWN": ("LOOKING",),
        "WALLET": ("LOOKING",),
        "CONTRACT": ("LOOKING",),
    },
)

SHOWN = {"PENDING": "PENDING", "SIGNED": "PENDING", "SENT": "PENDING"}
"""What a client sees: the way there is ours, the end is theirs."""


def shown(state: str) -> str:
    """Return the state a client sees."""
    return SHOWN.get(state, state)


STATUSES = tuple(dict.fromkeys(shown(state) for state in PAYOUT.states))
"""Every state a client can see."""


def behind(status: str | None) -> tuple[str, ...]:
    """Return the states that a client sees as this one; none of them for None."""
    return PAYOUT.behind(status, shown) if status else ()
