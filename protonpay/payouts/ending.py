"""How a payout ends, and how it begins anew: state, book and event in one transaction."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, update

from protonpay.kernel import clock, events
from protonpay.ledger import entries
from protonpay.ledger import service as ledger
from protonpay.ledger.entries import Entry
from protonpay.payouts.models import Payout
from protonpay.payouts.states import PAYOUT
from protonpay.store import outbox
from protonpay.store.db import LOCK, current, transaction
from protonpay.store.events import publish_all
from protonpay.wallets import recording
from protonpay.wallets.recording import Holder


@dataclass(frozen=True, slots=True)
class End:
    """How a payout ends.

    Attributes:
        code: why it can never be paid; None if its money moved.
        tx_hash: the send that moved it, where it is not the newest of ours.
    """

    code: str | None = None
    tx_hash: str | None = None

    @property
    def state(self) -> str:
        """The state that says so."""
        return "FAILED" if self.code else "COMPLETED"


def end(ends: Mapping[str, End]) -> None:
    """Settle payouts whose money moved and give back those never paid, in the caller's transaction.

    Rows first and then accounts are locked in the order of their owners, so that of two who end
    payouts none waits for the other twice.

    Args:
        ends: payout id → how it ends.
    """
    payouts = lock(ends)
    _move(payouts, ends)
    ledger.post_all([_entry(payout) for payout in payouts])
    _tell(payouts)


def complete_inside(payout_id: str, holder: Holder) -> None:
    """Settle a payout to an address of ours, in the caller's transaction; no chain sees it."""
    (payout,) = lock([payout_id])
    _move([payout], {payout.id: End(tx_hash=recording.inside_name(payout.id))})
    ledger.post(
        entries.payout_settle_inside(
            payout.id, payout.user_id, payout.amount_micro, payout.fee_micro
        )
    )
    recording.record_inside(
        payout.network,
        payout.wallet_address,
        payout.amount_micro,
        holder=holder,
        payout_id=payout.id,
    )
    _tell([payout])


def fail(payout_id: str, code: str) -> None:
    """Give back a payout that can never be paid, in the caller's transaction."""
    end({payout_id: End(code=code)})


def complete_unsigned(payout_id: str, tx_hash: str) -> None:
    """Settle a payout that the chain says was paid, if no attempt of ours speaks for it."""
    with transaction():
        if _waits(payout_id):
            end({payout_id: End(tx_hash=tx_hash)})


def fail_unsigned(payout_id: str, code: str) -> None:
    """Give back a payout that was never signed."""
    with transaction():
        # Bytes that were signed meanwhile may land: then it is theirs to say how it ends.
        if _waits(payout_id):
            fail(payout_id, code)


def sign_anew(payout_ids: Sequence[str]) -> None:
    """Send payouts back to be signed, on proof that their send can never land."""
    move(payout_ids, "SENT", "PENDING")
    outbox.add_each("payouts.sign", [{"payout_id": payout_id} for payout_id in payout_ids])


def move(
    payout_ids: Sequence[str], before: str, after: str, *, tx_hash: str | None = None
) -> set[str]:
    """Compare and set the state of payouts; return those that stood there.

    Args:
        payout_ids: which.
        before: where they stand.
        after: where they go.
        tx_hash: the send that pays them from now on; None: as before.
    """
    PAYOUT.check(before, after)
    standing = select(Payout.id).where(Payout.id.in_(payout_ids), Payout.state == before)
    moved = current().scalars(_in_order(standing)).all()
    if moved:
        paid_by = {"tx_hash": tx_hash} if tx_hash else {}
        current().execute(
            update(Payout)
            .where(Payout.id.in_(moved))
            .values(state=after, **_moments(after), **paid_by),
            execution_options={"synchronize_session": False},
        )
    return set(moved)


def lock(payout_ids: Collection[str]) -> Sequence[Payout]:
    """Take the rows of payouts until the transaction ends, in the order of their owners."""
    locked = _in_order(select(Payout).where(Payout.id.in_(payout_ids)))
    return current().scalars(locked, execution_options={"populate_existing": True}).all()


def _in_order(found: Select[Any]) -> Select[Any]:
    """Lock what is selected of payouts one after the other, whoever does so in the same order."""
    return found.order_by(Payout.user_id, Payout.id).with_for_update(**LOCK)


def _moments(after: str) -> dict[str, datetime | None]:
    """Return what a move on the way to the chain says of the time."""
    if after == "PENDING":
        return {"signed_at": None, "sent_at": None}
    return {"signed_at" if after == "SIGNED" else "sent_at": clock.now()}


def _waits(payout_id: str) -> bool:
    return lock([payout_id])[0].state == "PENDING"


def _move(payouts: Sequence[Payout], ends: Mapping[str, End]) -> None:
    """Set the states of locked payouts: one statement for all that end alike."""
    alike = defaultdict[End, list[str]](list)
    for payout in payouts:
        ended = ends[payout.id]
        PAYOUT.check(payout.state, ended.state)
        alike[ended].append(payout.id)
    for ended, payout_ids in alike.items():
        paid_by = {"tx_hash": ended.tx_hash} if ended.tx_hash else {}
        current().execute(
            update(Payout)
            .where(Payout.id.in_(payout_ids))
            .values(
                state=ended.state,
                failure_code=ended.code,
                ended_at=clock.now(),
                waits_for=None,
                waits_since=None,
                **paid_by,
            ),
        )


def _entry(payout: Payout) -> Entry:
    if payout.state == "FAILED":
        return entries.payout_release(payout.id, payout.user_id, payout.total, source=payout.source)
    return entries.payout_settle(
        payout.id, payout.user_id, payout.network, payout.amount_micro, payout.fee_micro
    )


def _tell(payouts: Sequence[Payout]) -> None:
    # What is sent back was nobody's withdrawal: who was to get it neither ordered it nor lost it.
    publish_all([_event(payout) for payout in payouts if payout.source is None])


def _event(payout: Payout) -> tuple[str, str, dict[str, str | None]]:
    if payout.state == "FAILED":
        told = {**_said(payout), "reason": payout.failure_code}
        return events.PAYOUT_FAILED, payout.user_id, told
    return events.PAYOUT_COMPLETED, payout.user_id, _said(payout)


def _said(payout: Payout) -> dict[str, str | None]:
    return {
        "id": payout.id,
        "userId": payout.user_id,
        "amount": str(payout.amount_micro),
        "fee": str(payout.fee_micro),
        "currency": "USDC",
        "network": payout.network,
        "walletAddress": payout.wallet_address,
        "txHash": payout.tx_hash,
        "status": payout.state,
    }
