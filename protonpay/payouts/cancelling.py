"""Take a withdrawal back as long as nothing is signed for it: all of it returns to the balance.

Its owner only asks. Whoever would sign it next looks for its mark on chain first, as before every
signature, and then gives it back: a payout may have been sent of which our rows know nothing (a
database that was restored), and what was sent must not be given back.
"""

from collections.abc import Mapping

from sqlalchemy import select

from protonpay.chains.port import AlreadySent, Hindrance
from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict, NotFound, Refusal
from protonpay.payouts import ending
from protonpay.payouts.models import Payout
from protonpay.store.db import current, transaction
from protonpay.users import service as users

CANCELLED = "cancelled"


def is_cancellable(payout: Payout) -> bool:
    """Tell whether its owner may ask for it back now; not while a person looks at it."""
    waits = payout.state == "PENDING" and payout.source is None
    return waits and payout.cancel_asked_at is None


def cancel(user_id: str, payout_id: str) -> Payout:
    """Ask for a payout back that is not signed; twice is once.

    Raises:
        NotFound: there is none, or it is somebody else's.
        Conflict: it is signed, looked at by a person, or has ended otherwise (``state_conflict``).
    """
    with transaction():
        users.lock(user_id)
        payout = next(iter(ending.lock([payout_id])), None)
        if payout is None or payout.user_id != user_id:
            raise NotFound("not_found", "There is no such payout.")
        asked = payout.state == "PENDING" and payout.cancel_asked_at is not None
        if asked or payout.failure_code == CANCELLED:
            return payout
        if not is_cancellable(payout):
            raise Conflict("state_conflict", "This withdrawal can no longer be cancelled.")
        payout.cancel_asked_at = clock.now()
    return payout


def check(payout: Payout) -> None:
    """Look whether a payout that would be signed now was asked back.

    Raises:
        Conflict: it was (``cancelled``).
    """
    if payout.cancel_asked_at is not None:
        raise _taken_back()


def instead(hindered: Mapping[str, Hindrance | Refusal]) -> Mapping[str, Hindrance | Refusal]:
    """Return why payouts are not signed, where some of them were asked back.

    Args:
        hindered: payout id → what a look at the network found. Of each the mark was looked for
            before all else, so that what is not ``AlreadySent`` was never sent; but of one to an
            address of ours, which no chain ever carries.
    """
    unsent = [each for each, why in hindered.items() if not isinstance(why, AlreadySent)]
    if not unsent:
        return hindered
    wanted = select(Payout.id).where(Payout.id.in_(unsent), Payout.cancel_asked_at.is_not(None))
    with transaction():
        asked = current().scalars(wanted).all()
    return {**hindered, **dict.fromkeys(asked, _taken_back())}


def _taken_back() -> Refusal:
    return Conflict(CANCELLED, "Its owner has taken it back.")
