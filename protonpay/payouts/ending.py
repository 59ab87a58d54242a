"""How a payout ends, and how it begins anew: state, book and event in one transaction."""

from collections.abc import Sequence

from sqlalchemy import select, update

from protonpay.kernel import clock, events
from protonpay.ledger import entries
from protonpay.ledger import service as ledger
from protonpay.payouts import waits
from protonpay.payouts.models import Payout
from protonpay.payouts.states import PAYOUT
from protonpay.store import outbox
from protonpay.store.db import current, db, release, transaction
from protonpay.store.events import publish
from protonpay.wallets import recording
from protonpay.wallets.recording import Holder


def complete(payout_id: str, tx_hash: str | None) -> None:
    """Settle a payout whose money moved, in the caller's transaction.

    Args:
        payout_id: which.
        tx_hash: the send that moved it, where it is not the newest of ours.
    """
    payout = _end(payout_id, "COMPLETED", None)
    payout.tx_hash = tx_hash or payout.tx_hash
    ledger.post(
        entries.payout_settle(
            payout.id, payout.user_id, payout.network, payout.amount_micro, payout.fee_micro
        )
    )
    publish(events.PAYOUT_COMPLETED, payout.user_id, _said(payout))


def complete_inside(payout_id: str, holder: Holder) -> None:
    """Settle a payout to an address of ours, in the caller's transaction; no chain sees it."""
    payout = _end(payout_id, "COMPLETED", None)
    payout.tx_hash = recording.inside_name(payout.id)
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
    publish(events.PAYOUT_COMPLETED, payout.user_id, _said(payout))


def fail(payout_id: str, code: str) -> None:
    """Give back a payout that can never be paid, in the caller's transaction."""
    payout = _end(payout_id, "FAILED", code)
    entry = entries.payout_release(payout.id, payout.user_id, payout.total, source=payout.source)
    ledger.post(entry)
    publish(events.PAYOUT_FAILED, payout.user_id, {**_said(payout), "reason": code})


def complete_unsigned(payout_id: str, tx_hash: str) -> None:
    """Settle a payout that the chain says was paid, if no attempt of ours speaks for it."""
    with transaction():
        if _locked(payout_id).state == "PENDING":
            complete(payout_id, tx_hash)


def fail_unsigned(payout_id: str, code: str) -> None:
    """Give back a payout that was never signed."""
    with transaction():
        # Bytes that were signed meanwhile may land: then it is theirs to say how it ends.
        if _locked(payout_id).state == "PENDING":
            fail(payout_id, code)


def sign_anew(payout_id: str) -> None:
    """Send a payout back to be signed, on proof that its send can never land."""
    move(payout_id, "SENT", "PENDING")
    outbox.add("payouts.sign", payout_id=payout_id)


def move(payout_id: str, before: str, after: str) -> bool:
    """Compare and set a payout's state; False if it stands elsewhere."""
    PAYOUT.check(before, after)
    moved = current().execute(
        update(Payout)
        .where(Payout.id == payout_id, Payout.state == before)
        .values(state=after)
        .returning(Payout.id)
    )
    return moved.first() is not None


def by_owner(payout_ids: Sequence[str]) -> Sequence[str]:
    """Return payouts in the order of their owners' accounts, in which the book locks them."""
    theirs = select(Payout.id).where(Payout.id.in_(payout_ids)).order_by(Payout.user_id, Payout.id)
    found = db.session.scalars(theirs).all()
    release()
    return found


def _end(payout_id: str, state: str, code: str | None) -> Payout:
    payout = _locked(payout_id)
    PAYOUT.check(payout.state, state)
    payout.state, payout.failure_code, payout.ended_at = state, code, clock.now()
    waits.forget(payout)
    current().flush()
    return payout


def _locked(payout_id: str) -> Payout:
    return current().get_one(Payout, payout_id, with_for_update=True, populate_existing=True)


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
