"""Which sweeps go now: planned from our own rows, then checked against the chain.

A sweep's amount is what our rows say lies at the address when it is planned, and never
changes; what arrives later waits for the next. The chain must confirm it before anything is
signed: an address with less than our rows say, one that Circle blocks, or one whose key the
keyring does not make is held, visible, and asked about again. The others go on.
"""

from collections.abc import Sequence

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from protonpay.chains.registry import NETWORKS, chains
from protonpay.chains.sweep import Holding, Sweeper
from protonpay.kernel import clock
from protonpay.store.db import current, db, release, transaction
from protonpay.treasury import service
from protonpay.treasury.models import Sweep
from protonpay.treasury.states import SWEEP
from protonpay.wallets import unswept
from protonpay.wallets.unswept import Lying

log = structlog.get_logger(__name__)

_AT_ONCE = 1000
_LOCK = "treasury"


def lock(network: str) -> None:
    """Let one at a time plan or sign for a network, in the caller's transaction."""
    named = func.hashtextextended(f"{_LOCK}:{network}", 0)
    current().execute(select(func.pg_advisory_xact_lock(named)))


def plan(network: str, *, everything: bool) -> None:
    """Write a sweep for every address that is worth one and has none open."""
    worth = service.rules.worth(everything=everything)
    with transaction():
        lock(network)
        found = unswept.lying(network, worth, service.open_addresses(network), _AT_ONCE)
        for lying in found:
            _write(network, lying)


def ready(network: str, sweeper: Sweeper) -> list[Sweep]:
    """Return the sweeps to sign as one transaction now; the chain is asked about each.

    Raises:
        NoAnswer: unknown; ask again.
    """
    waiting = _waiting(network, sweeper.most)
    release()
    if not waiting:
        return []
    holdings = sweeper.holdings([sweep.address for sweep in waiting])
    objections = {sweep.id: _objection(sweep, holdings[sweep.address]) for sweep in waiting}
    with transaction():
        for sweep in waiting:
            _note(sweep, objections[sweep.id])
    return [sweep for sweep in waiting if objections[sweep.id] is None]


def _write(network: str, lying: Lying) -> None:
    last = select(func.coalesce(func.max(Sweep.turn), 0)).where(
        Sweep.network == network, Sweep.address == lying.address
    )
    now = clock.now()
    sweep_id = current().scalar(
        insert(Sweep)
        .values(
            network=network,
            address=lying.address,
            number=lying.number,
            turn=last.scalar_subquery() + 1,
            amount_micro=lying.amount,
            state=SWEEP.initial,
            refusals=0,
            created_at=now,
            looked_at=now,
        )
        .returning(Sweep.id)
    )
    taken = unswept.take(sweep_id or 0, lying.incoming_ids)
    if taken != lying.amount:
        raise RuntimeError(f"transfers to {lying.address} were taken by somebody else")


def _waiting(network: str, most: int) -> Sequence[Sweep]:
    """Return who goes next: one that was refused goes alone, so that it spoils nothing twice."""
    old = clock.now() - service.HELD_AGAIN
    due = (Sweep.state == "PLANNED") | ((Sweep.state == "HELD") & (Sweep.looked_at < old))
    found = db.session.scalars(
        select(Sweep)
        .where(Sweep.network == network, due)
        .order_by(Sweep.refusals.desc(), Sweep.id)
        .limit(most),
        execution_options={"populate_existing": True},
    ).all()
    return found[:1] if found and found[0].refusals else found


def _objection(sweep: Sweep, holding: Holding) -> str | None:
    family = NETWORKS[sweep.network].family
    if chains.keyring().deposit_address(family, sweep.number)[0] != sweep.address:
        log.error("address_not_ours", family=family, number=sweep.number)
        return "address_not_ours"
    if holding.blocked:
        return "address_blocked"
    if holding.final < sweep.amount_micro:
        log.error("balance_differs", network=sweep.network, address=sweep.address)
        return "balance_differs"
    return None


def _note(sweep: Sweep, objection: str | None) -> None:
    """Write down how the chain sees a sweep; one that moved on meanwhile stays as it is."""
    after = "HELD" if objection else "PLANNED"
    if after != sweep.state:
        SWEEP.check(sweep.state, after)
    if objection:
        log.warning("sweep_held", sweep_id=sweep.id, network=sweep.network, code=objection)
    current().execute(
        update(Sweep)
        .where(Sweep.id == sweep.id, Sweep.state == sweep.state)
        .values(state=after, reason=objection, looked_at=clock.now())
    )
