"""Follow a transfer to a user's address: pending when seen, credited once when final.

Every change of the transfer is a job, and jobs may come late, twice or in any order. Each
therefore reads how the transfer stands now, under the lock of the deposit it belongs to:
the last one always sees the last change.
"""

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from protonpay.chains.registry import network as named_network
from protonpay.deposits.models import Deposit
from protonpay.deposits.states import DEPOSIT
from protonpay.kernel import clock, events, faults, ids
from protonpay.ledger import entries
from protonpay.ledger import service as ledger
from protonpay.plans import service as plans
from protonpay.screening.service import screening
from protonpay.store.db import LOCK, after_commit, current, transaction
from protonpay.store.events import publish
from protonpay.users import service as users
from protonpay.wallets import service as wallets
from protonpay.wallets.service import Incoming

log = structlog.get_logger(__name__)

_VANISHED = "VANISHED"
_DONE = ("CONFIRMED", "ON_HOLD", "RETURNED")
"""What follows from the transfer has followed."""


def follow(incoming_id: str) -> None:
    """Do what follows from how a transfer to a user's address stands now.

    Raises:
        NotFound: there is no such transfer, or no such user.
    """
    with transaction():
        deposit = _deposit_of(wallets.incoming(incoming_id))
        if deposit is None or deposit.state in _DONE:
            return
        transfer = wallets.incoming(incoming_id)
        if transfer.state == _VANISHED:
            if deposit.state != _VANISHED:
                _move(deposit, _VANISHED)
            return
        _take_over(deposit, transfer)
        if deposit.state == _VANISHED:
            _move(deposit, DEPOSIT.initial)
        if transfer.state == "FINAL" and not _hold(deposit, transfer):
            _confirm(deposit, transfer)


def _deposit_of(transfer: Incoming) -> Deposit | None:
    """Return the locked deposit of a transfer; of one that vanished unfollowed there is none."""
    if transfer.state != _VANISHED:
        row = {
            "id": ids.new_id(),
            "method": "CRYPTO",
            "currency": "USDC",
            "state": DEPOSIT.initial,
            "created_at": transfer.seen_at,
            "incoming_id": transfer.id,
            **_facts(transfer),
        }
        current().execute(insert(Deposit).values(row).on_conflict_do_nothing())
    return current().scalar(
        select(Deposit).where(Deposit.incoming_id == transfer.id).with_for_update(**LOCK),
        execution_options={"populate_existing": True},
    )


def _take_over(deposit: Deposit, transfer: Incoming) -> None:
    # A reorg may have changed what the transaction does, before it is final.
    facts = _facts(transfer)
    if (deposit.user_id, deposit.amount_micro) == (facts["user_id"], facts["amount_micro"]):
        # It was shown, and stays, on whatever plan its user is by now.
        del facts["commission_micro"]
    for name, value in facts.items():
        setattr(deposit, name, value)


def _facts(transfer: Incoming) -> dict[str, object]:
    # As of the moment it was seen: what was shown stays true when it is final.
    terms = plans.terms_at(users.get(transfer.holder_id).plan, transfer.seen_at)
    return {
        "user_id": transfer.holder_id,
        "network": transfer.network,
        "tx_hash": transfer.tx_hash,
        "sender": transfer.sender,
        "amount_micro": transfer.amount_micro,
        "commission_micro": terms.deposit_commission(transfer.amount_micro),
    }


def release(deposit: Deposit) -> None:
    """Credit a deposit that was on hold, in the caller's transaction, which holds its row."""
    _move(deposit, "CONFIRMED")
    ledger.post(
        entries.suspense_release(
            deposit.incoming_id or "",
            deposit.network or "",
            deposit.user_id,
            deposit.credited,
            deposit.commission_micro,
        )
    )
    publish(events.DEPOSIT_CONFIRMED, deposit.user_id, _said(deposit))


def _hold(deposit: Deposit, transfer: Incoming) -> bool:
    """Keep what a listed address has sent apart; the money is in the book, and nobody's yet."""
    why = screening.hit(named_network(transfer.network).family, transfer.sender, *transfer.payers)
    if why is None:
        return False
    _move(deposit, "ON_HOLD")
    deposit.reason = why
    ledger.post(entries.chain_suspend(transfer.id, transfer.network, transfer.amount_micro))
    log.error("deposit_on_hold", deposit_id=deposit.id, listed=why)
    return True


def _confirm(deposit: Deposit, transfer: Incoming) -> None:
    _move(deposit, "CONFIRMED")
    credit = entries.inside_credit if transfer.inside else entries.chain_credit
    ledger.post(
        credit(
            transfer.id,
            transfer.network,
            deposit.user_id,
            deposit.credited,
            deposit.commission_micro,
        )
    )
    publish(events.DEPOSIT_CONFIRMED, deposit.user_id, _said(deposit))
    faults.point("deposits.crediting", transfer.network)
    after_commit(lambda: faults.point("deposits.credited", transfer.network))


def _move(deposit: Deposit, state: str) -> None:
    DEPOSIT.check(deposit.state, state)
    deposit.state = state
    deposit.ended_at = None if state == DEPOSIT.initial else clock.now()
    current().flush()


def _said(deposit: Deposit) -> dict[str, str | None]:
    return {
        "id": deposit.id,
        "userId": deposit.user_id,
        "amount": str(deposit.credited),
        "currency": deposit.currency,
        "network": deposit.network,
        "txHash": deposit.tx_hash,
        "status": deposit.state,
    }
