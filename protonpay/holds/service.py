"""List, release and give back what is on hold: deposits from and payouts to listed addresses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from protonpay.deposits import held as deposits
from protonpay.kernel.errors import Conflict, NotFound
from protonpay.kernel.money import Usdc
from protonpay.payouts import held as held_payouts
from protonpay.payouts import service as payouts
from protonpay.store import outbox
from protonpay.store.db import release as end_reading
from protonpay.store.db import transaction
from protonpay.store.jobs import Later

_LOOK_AGAIN = 5


@dataclass(frozen=True, slots=True)
class Hold:
    """Something on hold.

    Attributes:
        kind: ``deposit`` or ``payout``.
        address: the listed sender or payee.
        why: what the list says, and what was decided until now.
        returned_by: the payout that is sending a deposit back.
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


def listed() -> Sequence[Hold]:
    """Return everything on hold, deposits first, oldest first."""
    came = [
        Hold(
            one.id, "deposit", one.user_id, one.network or "", one.amount_micro,
            one.sender or "", one.reason or "", one.created_at, one.return_payout_id,
        )
        for one in deposits.waiting()
    ]  # fmt: skip
    goes = [
        Hold(
            one.id, "payout", one.user_id, one.network, one.total,
            one.wallet_address, one.hold_reason or "", one.created_at,
        )
        for one in held_payouts.waiting()
    ]  # fmt: skip
    return [*came, *goes]


def release(hold_id: str, reason: str) -> Hold:
    """Credit a deposit after all, or let a payout go on.

    Raises:
        NotFound: nothing of this id is on hold.
        Conflict: it is being sent back, or somebody was faster.
    """
    hold = _found(hold_id)
    (deposits if hold.kind == "deposit" else held_payouts).release(hold_id, reason)
    return hold


def refund(hold_id: str, reason: str) -> Hold:
    """Send a deposit back to its sender by a payout, or give a payout's money back to its user.

    Raises:
        NotFound: nothing of this id is on hold.
        Conflict: it is being sent back, the network does not name its sender
            (``sender_unknown``), or somebody was faster.
        Invalid: no payout may go to the sender.
    """
    hold = _found(hold_id)
    if hold.kind == "payout":
        held_payouts.refund(hold_id, reason)
    else:
        _send_back(hold_id, reason)
    return hold


def follow_return(deposit_id: str) -> Later | None:
    """Let a deposit's way back end as its payout ended."""
    user_id, payout_id = deposits.return_of(deposit_id)
    if payout_id is None:
        return None
    ended = payouts.get(user_id, payout_id).state
    end_reading()
    if ended not in ("COMPLETED", "FAILED"):
        return Later(_LOOK_AGAIN, "the payout is not final")
    deposits.end_return(deposit_id, arrived=ended == "COMPLETED")
    return None


def _send_back(deposit_id: str, reason: str) -> None:
    with transaction():
        deposit = deposits.locked(deposit_id)
        if deposit.sender is None or deposit.network is None:
            raise Conflict("sender_unknown", "The network does not name its sender.")
        payout = payouts.send_back(
            deposit.user_id, deposit.amount_micro, to=deposit.sender, network=deposit.network
        )
        deposits.returning(deposit, payout.id, reason)
        outbox.add("holds.follow_return", delay_seconds=_LOOK_AGAIN, deposit_id=deposit_id)


def _found(hold_id: str) -> Hold:
    found = next((one for one in listed() if one.id == hold_id), None)
    end_reading()
    if found is None:
        raise NotFound("not_found", "Nothing of this id is on hold.")
    return found
