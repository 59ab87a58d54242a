"""Send a payout: sign, store, broadcast, confirm; one step per job, every step repeatable.

No step holds a lock while it waits for a node. Each begins by looking where the payout
stands and ends with a compare-and-set, so a step that runs twice moves nothing twice; the
book refuses a second posting by its reference, the chain a second send by the payout's mark.
"""

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from protonpay.chains.port import (
    AlreadySent,
    Chain,
    NotReady,
    PayeeRefused,
    SendOrder,
    SendOutcome,
    SendState,
    SignedSend,
    Terms,
)
from protonpay.chains.registry import NETWORKS, chains
from protonpay.kernel import clock, events
from protonpay.kernel.errors import Refusal
from protonpay.ledger import entries
from protonpay.ledger import service as ledger
from protonpay.payouts import cooldown, screened, switches
from protonpay.payouts.ceilings import signer
from protonpay.payouts.models import Payout, PayoutAttempt, SendLane
from protonpay.payouts.states import ATTEMPT, PAYOUT
from protonpay.plans import service as plans
from protonpay.store import beats, outbox
from protonpay.store.db import current, db, release, transaction
from protonpay.store.events import publish
from protonpay.store.jobs import Later
from protonpay.users import service as users
from protonpay.wire.http import NoAnswer

log = structlog.get_logger(__name__)

_LOOK_AGAIN_SECONDS = 1
_OURS = frozenset({"treasury_short", "gas_short"})


def sign(payout_id: str) -> Later | None:
    """Sign the payout and store the bytes: the intention is on disk before the act."""
    payout = _read(payout_id)
    if payout.state != "PENDING":
        return None
    chain = chains.get(payout.network)
    order = SendOrder(payout.id, payout.wallet_address, payout.amount_micro)
    try:
        terms = chain.read_terms(order)
        first = chain.next_sequence()
        refusal = _store_attempt(chain, order, terms, first)
    except PayeeRefused as refused:
        _fail_unsigned(payout_id, refused.code)
        return None
    except AlreadySent as sent:
        return _found_on_chain(payout_id, sent)
    except NotReady as waiting:
        log.warning("payout_waits", payout_id=payout_id, code=waiting.code)
        return Later(5, waiting.code)
    except NoAnswer as unknown:
        return Later(2, repr(unknown))
    if refusal is not None:
        _fail_unsigned(payout_id, refusal.code)
    return None


def broadcast(payout_id: str) -> Later | None:
    """Hand the stored bytes to the node; asking what became of them comes next either way."""
    attempt = _open_attempt(payout_id, "SIGNED", "SENT")
    if attempt is None:
        return None
    try:
        chains.get(attempt.network).broadcast(_as_send(attempt))
    except NoAnswer as unknown:
        log.warning("broadcast_unknown", payout_id=payout_id, error=repr(unknown))
    with transaction():
        if _move(payout_id, "SIGNED", "SENT"):
            outbox.add("payouts.confirm", delay_seconds=_LOOK_AGAIN_SECONDS, payout_id=payout_id)
    return None


def confirm(payout_id: str) -> Later | None:
    """Ask what became of the send; settle, release or sign anew on a final answer only.

    Of a payout whose newest send is not handed over yet, its own broadcast asks next.
    """
    attempt = _open_attempt(payout_id, "SENT")
    if attempt is None:
        return None
    chain, send = chains.get(attempt.network), _as_send(attempt)
    try:
        outcome = chain.outcome(send)
        if outcome.state is SendState.WAITING and not outcome.seen:
            chain.broadcast(send)
    except NoAnswer as unknown:
        return Later(2, repr(unknown))
    if outcome.state is SendState.WAITING:
        return Later(_LOOK_AGAIN_SECONDS, outcome.reason or "not final")
    end = _END[outcome.state]
    if outcome.state is SendState.FAILED and outcome.reason in _OURS:
        # Refused on chain for want of our own funds: that is no reason for the payee to lose.
        end = _sign_anew
    end(attempt.id, payout_id, outcome)
    return None


def look_at_heads() -> None:
    """Note how far each network's node is; one that does not answer grows old."""
    for name in NETWORKS:
        try:
            head = chains.get(name).head()
        except NoAnswer as unknown:
            log.warning("node_silent", network=name, error=repr(unknown))
            continue
        beats.note_head(
            name, latest=head.latest, finalized=head.finalized, finalized_at=head.finalized_at
        )


def _store_attempt(
    chain: Chain, order: SendOrder, terms: Terms, first: int | None
) -> Refusal | None:
    """Sign under a lock and store; return the refusal of the last check, if there is one.

    Raises:
        NotReady: payouts are paused, or the signer does not admit this one now.
    """
    with transaction() as session:
        owner = session.scalar(select(Payout.user_id).where(Payout.id == order.payout_id))
        user = users.lock(owner or "")
        payout = session.get_one(Payout, order.payout_id, populate_existing=True)
        if payout.state != "PENDING":
            return None
        try:
            _check_again(payout, user.plan)
        except Refusal as refusal:
            return refusal
        if screened.hold(payout):
            return None
        switches.check(chain.network.name)
        signer.admit(payout)
        replaced = _free_sequence_of(chain)
        sequence = _take_sequence(chain, first, replaced)
        send = chain.sign(order, terms, sequence, replaced)
        session.add(_as_attempt(chain, send))
        payout.tx_hash = send.tx_hash
        _move(payout.id, "PENDING", "SIGNED")
        outbox.add("payouts.broadcast", payout_id=payout.id)
    return None


def give_back(payout_id: str, code: str) -> None:
    """Fail a payout that was never signed and give back its money, in the caller's transaction."""
    _release(payout_id, code)


def _check_again(payout: Payout, plan: str) -> None:
    if payout.source is not None:
        return  # nobody's withdrawal
    terms = plans.terms(plan)
    at, amount = payout.created_at, payout.amount_micro
    cooldown.check_single(terms, amount)
    cooldown.check_day(terms, payout.user_id, amount, at, but=payout.id)
    cooldown.check_cooldown(terms, payout.user_id, at, but=payout.id)


def _free_sequence_of(chain: Chain) -> SignedSend | None:
    """Return the ended send with the lowest nonce still free: the next send must take it.

    Whatever its end: a payment handed in by somebody else has landed and left our nonce free.
    """
    ended = current().scalar(
        select(PayoutAttempt)
        .where(
            PayoutAttempt.network == chain.network.name,
            PayoutAttempt.sender == chain.sender,
            PayoutAttempt.state != "OPEN",
            PayoutAttempt.sequence_used.is_(False),
        )
        .order_by(PayoutAttempt.sequence)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if ended is None:
        return None
    ended.sequence_used = True
    return _as_send(ended)


def _take_sequence(chain: Chain, first: int | None, replaced: SignedSend | None) -> int | None:
    if first is None:
        return None
    if replaced is not None:
        return replaced.sequence
    lane = {"network": chain.network.name, "sender": chain.sender}
    current().execute(insert(SendLane).values(**lane, next_sequence=first).on_conflict_do_nothing())
    taken = current().scalar(
        update(SendLane)
        .filter_by(**lane)
        # Never below what the chain itself has seen used.
        .values(next_sequence=func.greatest(SendLane.next_sequence, first) + 1)
        .returning(SendLane.next_sequence)
    )
    return int(taken or 0) - 1


def _found_on_chain(payout_id: str, sent: AlreadySent) -> Later | None:
    """Settle a payout that the chain says was paid, although no attempt of ours says so."""
    log.error("payout_found_on_chain", payout_id=payout_id, tx_hash=sent.tx_hash)
    if sent.tx_hash is None:
        return Later(5, sent.code)
    with transaction():
        payout = current().get_one(Payout, payout_id, with_for_update=True, populate_existing=True)
        if payout.state == "PENDING":
            _complete(payout_id, sent.tx_hash)
    return None


def _settle(attempt_id: int, payout_id: str, outcome: SendOutcome) -> None:
    with transaction():
        if _end_attempt(attempt_id, "LANDED", outcome):
            _complete(payout_id, outcome.tx_hash)


def _complete(payout_id: str, tx_hash: str | None) -> None:
    payout = _end_payout(payout_id, "COMPLETED", None)
    payout.tx_hash = tx_hash or payout.tx_hash
    ledger.post(
        entries.payout_settle(
            payout.id, payout.user_id, payout.network, payout.amount_micro, payout.fee_micro
        )
    )
    publish(events.PAYOUT_COMPLETED, payout.user_id, _said(payout))


def _fail(attempt_id: int, payout_id: str, outcome: SendOutcome) -> None:
    with transaction():
        if _end_attempt(attempt_id, "FAILED", outcome):
            _release(payout_id, outcome.reason or "refused_on_chain")


def _sign_anew(attempt_id: int, payout_id: str, outcome: SendOutcome) -> None:
    with transaction():
        if _end_attempt(attempt_id, outcome.state.value, outcome):
            _move(payout_id, "SENT", "PENDING")
            outbox.add("payouts.sign", payout_id=payout_id)


_END = {SendState.LANDED: _settle, SendState.FAILED: _fail, SendState.LOST: _sign_anew}


def _fail_unsigned(payout_id: str, code: str) -> None:
    with transaction():
        payout = current().get_one(Payout, payout_id, with_for_update=True, populate_existing=True)
        # Bytes that were signed meanwhile may land: then it is theirs to say how it ends.
        if payout.state == "PENDING":
            _release(payout_id, code)


def _release(payout_id: str, code: str) -> None:
    payout = _end_payout(payout_id, "FAILED", code)
    entry = entries.payout_release(payout.id, payout.user_id, payout.total, source=payout.source)
    ledger.post(entry)
    publish(events.PAYOUT_FAILED, payout.user_id, {**_said(payout), "reason": code})


def _end_payout(payout_id: str, state: str, code: str | None) -> Payout:
    payout = current().get_one(Payout, payout_id, with_for_update=True, populate_existing=True)
    PAYOUT.check(payout.state, state)
    payout.state, payout.failure_code, payout.ended_at = state, code, clock.now()
    current().flush()
    return payout


def _end_attempt(attempt_id: int, state: str, outcome: SendOutcome) -> bool:
    """Move an open attempt to its end; False when somebody else did before."""
    ATTEMPT.check("OPEN", state)
    ended = current().execute(
        update(PayoutAttempt)
        .where(PayoutAttempt.id == attempt_id, PayoutAttempt.state == "OPEN")
        .values(
            state=state,
            reason=outcome.reason,
            sequence_used=outcome.sequence_used,
            ended_at=clock.now(),
        )
        .returning(PayoutAttempt.id)
    )
    return ended.first() is not None


def _move(payout_id: str, before: str, after: str) -> bool:
    PAYOUT.check(before, after)
    moved = current().execute(
        update(Payout)
        .where(Payout.id == payout_id, Payout.state == before)
        .values(state=after)
        .returning(Payout.id)
    )
    return moved.first() is not None


def _read(payout_id: str) -> Payout:
    payout = db.session.get_one(Payout, payout_id, populate_existing=True)
    release()
    return payout


def _open_attempt(payout_id: str, *where_it_stands: str) -> PayoutAttempt | None:
    attempt = db.session.scalar(
        select(PayoutAttempt)
        .join(Payout, Payout.id == PayoutAttempt.payout_id)
        .where(
            PayoutAttempt.payout_id == payout_id,
            PayoutAttempt.state == "OPEN",
            Payout.state.in_(where_it_stands),
        )
    )
    release()
    return attempt


def _as_attempt(chain: Chain, send: SignedSend) -> PayoutAttempt:
    return PayoutAttempt(
        payout_id=send.payout_id,
        network=chain.network.name,
        sender=chain.sender,
        sequence=send.sequence,
        sequence_used=True,
        raw=send.raw,
        tx_hash=send.tx_hash,
        terms=dict(send.terms),
        state=ATTEMPT.initial,
        created_at=clock.now(),
    )


def _as_send(attempt: PayoutAttempt) -> SignedSend:
    return SignedSend(
        attempt.payout_id, attempt.raw, attempt.tx_hash, attempt.sequence, attempt.terms
    )


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
