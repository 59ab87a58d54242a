"""Sweep deposit addresses: sign many as one transaction, store, broadcast, confirm.

As payouts are sent: each step may run twice, none holds a row while it waits for a node,
and only a final answer ends anything. Nobody's balance is touched: the money only changes
between wallets of ours, and custody in the book is all of them together.

One transaction per network is in flight. Its end says which nonce is next, so nonces have
no gaps; one that stays free is taken again by the next, with higher fees.
"""

from collections.abc import Sequence

import structlog
from sqlalchemy import select, update

from protonpay.chains.port import NotReady, SendState
from protonpay.chains.registry import chains
from protonpay.chains.sweep import Moved, SignedSweeps, Sweeper, SweepsOutcome
from protonpay.kernel import clock, faults
from protonpay.store import outbox
from protonpay.store.db import LOCK, current, db, release, transaction
from protonpay.store.jobs import Later
from protonpay.treasury import planning, service
from protonpay.treasury.models import Sweep, SweepBatch
from protonpay.treasury.states import BATCH, SWEEP
from protonpay.wire.http import NoAnswer

log = structlog.get_logger(__name__)

_LOOK_AGAIN_SECONDS = 2
_MOST_REFUSALS = 2


def sign(network: str, everything: int = 0) -> None:
    """Plan, check and sign what goes now; the bytes are on disk before anybody sees them.

    What cannot go now waits for the next round, which comes by itself.
    """
    planning.plan(network, everything=bool(everything))
    faults.point("treasury.planned", network)
    if service.has_open_batch(network):
        return
    release()
    sweeper = chains.sweeper(network)
    try:
        ready = planning.ready(network, sweeper)
        if not ready:
            return
        terms = sweeper.read_terms(len(ready))
        sequence = sweeper.next_sequence()
    except NotReady as waiting:
        log.warning("sweep_waits", network=network, code=waiting.code)
        return
    except NoAnswer as unknown:
        log.warning("sweep_unknown", network=network, error=repr(unknown))
        return
    with transaction():
        planning.lock(network)
        sweeps = _still_planned(ready)
        if service.has_open_batch(network) or len(sweeps) != len(ready):
            return
        items = [sweep.item for sweep in sweeps]
        signed = sweeper.sign(items, terms, sequence, _under(sweeper, sequence))
        faults.point("treasury.bytes_made", network)
        batch_id = _store(sweeper, signed, sweeps)
        outbox.add("treasury.broadcast", batch_id=batch_id)
    faults.point("treasury.signed", network)


def broadcast(batch_id: int) -> None:
    """Hand the stored bytes to the node; asking what became of them comes next either way."""
    batch = _read(batch_id)
    if batch.state != "SIGNED":
        return
    faults.point("treasury.before_broadcast", batch.network)
    try:
        chains.sweeper(batch.network).broadcast(batch.signed)
    except NoAnswer as unknown:
        log.warning("broadcast_unknown", batch_id=batch_id, error=repr(unknown))
    faults.point("treasury.broadcast", batch.network)
    with transaction():
        if _move(batch_id, "SIGNED", "SENT"):
            outbox.add("treasury.confirm", delay_seconds=_LOOK_AGAIN_SECONDS, batch_id=batch_id)
    faults.point("treasury.sent", batch.network)


def confirm(batch_id: int) -> Later | None:
    """Ask what became of the sweeps; end them on a final answer only."""
    batch = _read(batch_id)
    if batch.state != "SENT":
        return None
    sweeper, signed, sweeps = chains.sweeper(batch.network), batch.signed, _carried(batch_id)
    try:
        outcome = sweeper.outcome(signed, [sweep.item for sweep in sweeps])
        if outcome.state is SendState.WAITING and not outcome.seen:
            sweeper.broadcast(signed)
    except NoAnswer as unknown:
        return Later(2, repr(unknown))
    faults.point("treasury.outcome_known", batch.network)
    _settle(batch, sweeps, outcome)
    faults.point("treasury.ended", batch.network)
    if outcome.state is SendState.WAITING:
        return Later(_LOOK_AGAIN_SECONDS, outcome.reason or "not final")
    return None


def _settle(batch: SweepBatch, sweeps: Sequence[Sweep], outcome: SweepsOutcome) -> None:
    """End what moved, whatever becomes of the rest; and all of it when nothing is open."""
    missed = [sweep for sweep in sweeps if sweep.address not in outcome.moved]
    with transaction():
        for address, moved in outcome.moved.items():
            _swept(batch.id, address, moved)
        faults.point("treasury.settling", batch.network)
        if outcome.state is SendState.WAITING:
            return
        if _move(batch.id, "SENT", outcome.state.value, outcome):
            for sweep in missed:
                _missed(sweep, outcome)
            outbox.add("treasury.sign", network=batch.network)


def _still_planned(ready: Sequence[Sweep]) -> Sequence[Sweep]:
    return (
        current()
        .scalars(
            select(Sweep)
            .where(Sweep.id.in_([sweep.id for sweep in ready]), Sweep.state == "PLANNED")
            .order_by(Sweep.id)
            .with_for_update(**LOCK),
            execution_options={"populate_existing": True},
        )
        .all()
    )


def _under(sweeper: Sweeper, sequence: int | None) -> SignedSweeps | None:
    """Return what was last signed under a nonce that is still free: it must be outbid."""
    if sequence is None:
        return None
    before = current().scalar(
        select(SweepBatch)
        .filter_by(network=sweeper.network.name, sender=sweeper.sender, sequence=sequence)
        .order_by(SweepBatch.id.desc())
        .limit(1)
    )
    return before.signed if before else None


def _store(sweeper: Sweeper, signed: SignedSweeps, sweeps: Sequence[Sweep]) -> int:
    batch = SweepBatch(
        network=sweeper.network.name,
        sender=sweeper.sender,
        sequence=signed.sequence,
        raw=signed.raw,
        tx_hash=signed.tx_hash,
        terms=dict(signed.terms),
        state=BATCH.initial,
        created_at=clock.now(),
    )
    current().add(batch)
    current().flush()
    for sweep in sweeps:
        SWEEP.check(sweep.state, "SIGNED")
        sweep.state, sweep.batch_id = "SIGNED", batch.id
    current().flush()
    log.info("sweeps_signed", network=batch.network, count=len(sweeps), tx_hash=batch.tx_hash)
    return batch.id


def _swept(batch_id: int, address: str, moved: Moved) -> None:
    SWEEP.check("SIGNED", "SWEPT")
    current().execute(
        update(Sweep)
        .where(Sweep.batch_id == batch_id, Sweep.address == address, Sweep.state == "SIGNED")
        .values(
            state="SWEPT",
            reason=None,
            tx_hash=moved.tx_hash,
            block=moved.block,
            ended_at=clock.now(),
        )
    )


def _missed(sweep: Sweep, outcome: SweepsOutcome) -> None:
    """Plan a sweep anew; what the chain refuses again and again is held for an operator."""
    refusals = sweep.refusals + (outcome.state is not SendState.LOST)
    SWEEP.check("SIGNED", "PLANNED")
    after = "PLANNED"
    if refusals >= _MOST_REFUSALS:
        SWEEP.check("PLANNED", "HELD")
        after = "HELD"
    current().execute(
        update(Sweep)
        .where(Sweep.id == sweep.id, Sweep.state == "SIGNED", Sweep.batch_id == sweep.batch_id)
        .values(
            state=after,
            refusals=refusals,
            reason=outcome.reason or "refused_on_chain",
            looked_at=clock.now(),
        )
    )


def _move(batch_id: int, before: str, after: str, outcome: SweepsOutcome | None = None) -> bool:
    BATCH.check(before, after)
    told = {}
    if outcome is not None:
        fee = None if outcome.fee is None else str(outcome.fee)
        told = {"reason": outcome.reason, "fee": fee, "ended_at": clock.now()}
    moved = current().execute(
        update(SweepBatch)
        .where(SweepBatch.id == batch_id, SweepBatch.state == before)
        .values(state=after, **told)
        .returning(SweepBatch.id)
    )
    return moved.first() is not None


def _read(batch_id: int) -> SweepBatch:
    batch = db.session.get_one(SweepBatch, batch_id, populate_existing=True)
    release()
    return batch


def _carried(batch_id: int) -> Sequence[Sweep]:
    """Return the sweeps of a transaction, those that have moved included."""
    found = db.session.scalars(
        select(Sweep).where(Sweep.batch_id == batch_id).order_by(Sweep.id),
        execution_options={"populate_existing": True},
    ).all()
    release()
    return found
