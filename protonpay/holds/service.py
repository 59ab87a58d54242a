"""List, release and give back what is on hold: money from and payouts to listed addresses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from protonpay.deposits import held as deposits
from protonpay.invoices import held as invoices
from protonpay.kernel.errors import Conflict, NotFound
from protonpay.kernel.money import Usdc
from protonpay.payouts import held as held_payouts
from protonpay.payouts import service as payouts
from protonpay.store import outbox
from protonpay.store.db import release as end_reading
from protonpay.store.db import transaction
from protonpay.store.jobs import Later

_LOOK_AGAIN = 5
_EVERY = 1_000_000
_CAME_IN: Mapping[str, Any] = {"deposit": deposits, "payment": invoices}
"""What came in, by kind → the room that holds it; both have the same verbs."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Something on hold.

    Attributes:
        kind: ``deposit``, ``payment`` (of an invoice) or ``payout``.
        address: the listed sender or payee.
        why: what the list says, and what was decided until now.
        returned_by: the payout that is sending it back.
    """

    id: str
    kind: str
    user_id: str
    network: str
    amount: Usdc
    address: str
    why: str
    since: datetime
    returned_by: str | None = None


def listed(most: int = 200) -> Sequence[Hold]:
    """Return what is on hold, so many of each kind: what came in first, oldest first."""
    return [
        *(_deposit(one) for one in deposits.waiting(most)),
        *(_payment(one) for one in invoices.waiting(most)),
        *(_payout(one) for one in held_payouts.waiting(most)),
    ]


def get(hold_id: str) -> Hold:
    """Return what is on hold.

    Raises:
        NotFound: nothing of this id is.
    """
    found = next((one for one in listed(_EVERY) if one.id == hold_id), None)
    end_reading()
    if found is None:
        raise NotFound("not_found", "Nothing of this id is on hold.")
    return found


def release(hold_id: str, reason: str) -> Hold:
    """Credit what came in after all, or let a payout go on.

    Raises:
        NotFound: nothing of this id is on hold.
        Conflict: it is being sent back, or somebody was faster.
    """
    hold = get(hold_id)
    rooms = {"deposit": deposits.release, "payment": invoices.release}
    rooms.get(hold.kind, held_payouts.release)(hold_id, reason)
    return hold


def refund(hold_id: str, reason: str) -> Hold:
    """Send what came in back to its sender by a payout, or a payout's money back to its user.

    Raises:
        NotFound: nothing of this id is on hold.
        Conflict: it is being sent back, the network does not name its sender
            (``sender_unknown``), or somebody was faster.
        Invalid: no payout may go to the sender.
    """
    hold = get(hold_id)
    if hold.kind == "payout":
        held_payouts.refund(hold_id, reason)
    else:
        _send_back(hold, reason)
    return hold


def follow_return(kind: str, hold_id: str) -> Later | None:
    """Let the way back of what came in end as its payout ended."""
    room = _CAME_IN[kind]
    user_id, payout_id = room.return_of(hold_id)
    if payout_id is None:
        return None
    ended = payouts.get(user_id, payout_id).state
    end_reading()
    if ended not in ("COMPLETED", "FAILED"):
        return Later(_LOOK_AGAIN, "the payout is not final")
    room.end_return(hold_id, payout_id, arrived=ended == "COMPLETED")
    return None


def _send_back(hold: Hold, reason: str) -> None:
    if not hold.address:
        raise Conflict("sender_unknown", "The network does not name its sender.")
    with transaction():
        held: Any = _CAME_IN[hold.kind].locked(hold.id)
        payout = payouts.send_back(hold.user_id, hold.amount, to=hold.address, network=hold.network)
        _CAME_IN[hold.kind].returning(held, payout.id, reason)
        outbox.add(
            "holds.follow_return", delay_seconds=_LOOK_AGAIN, kind=hold.kind, hold_id=hold.id
        )


def _deposit(one: Any) -> Hold:
    return Hold(
        id=one.id,
        kind="deposit",
        user_id=one.user_id,
        network=one.network,
        amount=one.amount_micro,
        address=one.sender or "",
        why=one.reason or "",
        since=one.created_at,
        returned_by=one.return_payout_id,
    )


def _payment(one: Any) -> Hold:
    return Hold(
        id=one.id,
        kind="payment",
        user_id=one.owner_id,
        network=one.network,
        amount=one.amount_micro,
        address=one.sender or "",
        why=one.hold_reason or "",
        since=one.created_at,
        returned_by=one.return_payout_id,
    )


def _payout(one: Any) -> Hold:
    return Hold(
        id=one.id,
        kind="payout",
        user_id=one.user_id,
        network=one.network,
        amount=one.total,
        address=one.wallet_address,
        why=one.hold_reason or "",
        since=one.created_at,
    )
