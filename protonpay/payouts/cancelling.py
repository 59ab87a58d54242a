"""Take a withdrawal back as long as nothing is signed for it: all of it returns to the balance."""

from protonpay.kernel.errors import Conflict, NotFound
from protonpay.payouts import ending
from protonpay.payouts.models import Payout
from protonpay.store import outbox
from protonpay.store.db import transaction
from protonpay.users import service as users

CANCELLED = "cancelled"
_ON_CHAIN = "already_sent"
"""What it waits for when the chain bears its mark: money of it has left, whatever we signed."""


def is_cancellable(payout: Payout) -> bool:
    """Tell whether its owner may take it back now; not while a person looks at it."""
    return payout.state == "PENDING" and payout.source is None and payout.waits_for != _ON_CHAIN


def cancel(user_id: str, payout_id: str) -> Payout:
    """End a payout that is not signed and give back what it had set aside; twice is once.

    Of the signer and this the one that takes the payout's row first wins.

    Raises:
        NotFound: there is none, or it is somebody else's.
        Conflict: it is signed, looked at by a person, or has ended otherwise (``state_conflict``).
    """
    with transaction():
        users.lock(user_id)
        payout = next(iter(ending.lock([payout_id])), None)
        if payout is None or payout.user_id != user_id:
            raise NotFound("not_found", "There is no such payout.")
        if payout.failure_code == CANCELLED:
            return payout
        if not is_cancellable(payout):
            raise Conflict("state_conflict", "This withdrawal can no longer be cancelled.")
        ending.fail(payout_id, CANCELLED)
        outbox.finish("payouts.sign", "payout_id", [payout_id])
    return payout
