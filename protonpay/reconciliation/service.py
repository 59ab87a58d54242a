"""Compare every rail with the book, part by part, and say how each stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from protonpay.cards.registry import PROVIDERS, card_providers
from protonpay.chains.registry import NETWORKS
from protonpay.kernel import clock
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import audit, chart
from protonpay.reconciliation import books, cases, networks, payments
from protonpay.reconciliation.cases import KINDS, Finding
from protonpay.reconciliation.looks import Beginning, Part, Rail
from protonpay.reconciliation.models import ReconciliationCase, ReconciliationPass
from protonpay.store.db import LOCK, current, db, release, transaction
from protonpay.wire.http import NoAnswer

__all__ = ["KINDS", "LEDGER", "Line", "ReconciliationCase", "newest", "open_cases", "rails", "step"]

log = structlog.get_logger(__name__)

LEDGER = "ledger"
_REST = timedelta(seconds=60)
"""From the end of one pass to the beginning of the next, at least."""
_REST_TIMES = 4
"""And this many times as long as it took: a million addresses are asked about all day otherwise."""
_OLDEST = timedelta(minutes=30)
"""A pass that has not come to its end by then begins anew: nodes forget old blocks."""
_BUSY = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Line:
    """How a rail stands.

    Attributes:
        ours: what the book says there should be, and ``theirs`` what there is; None as long as
            no pass has come to its end.
        state: ``ok``, ``seen`` (once; looked at again), ``DIFFERS`` or ``unknown``.
        said: why it is unknown, or what differs.
        ended_at: when it was last compared to the end.
    """

    rail: str
    compared: int | None
    ours: Usdc | None
    theirs: Usdc | None
    state: str
    said: str
    ended_at: datetime | None = None


def rails() -> Sequence[str]:
    """Name everything that is compared: networks, providers that are set up, the book itself."""
    return [*NETWORKS, *(one for one in PROVIDERS if card_providers.is_set_up(one)), LEDGER]


def step(name: str, *, at_once: bool = False) -> int:
    """Do the next part of comparing a rail; return how many more there may be at once.

    Args:
        name: the rail.
        at_once: begin a pass even if the last one began a moment ago.

    Returns:
        0 when the pass is at its end, cannot go on now, or somebody else is at it.
    """
    rail = _rail(name)
    mark = _take(rail, at_once=at_once)
    if mark is None:
        return 0
    try:
        return _work(rail, mark)
    except NoAnswer as unknown:
        release()
        log.warning("reconciliation_unknown", rail=name, error=repr(unknown))
        _leave(rail, said=str(unknown)[:500], result="unknown")
        return 0
    except BaseException:
        release()
        _leave(rail)
        raise


def reconcile(name: str) -> Line:
    """Compare a rail from the beginning to the end, now; return how it stands."""
    step(name, at_once=True)
    while step(name):
        release()
    return next(line for line in table() if line.rail == name)


def table() -> Sequence[Line]:
    """Say how every rail stands."""
    passes = {row.rail: row for row in _passes()}
    return [_line(name, passes.get(name), cases.standing(name)) for name in rails()]


def open_cases() -> Sequence[ReconciliationCase]:
    """Return the mismatches that stand, seen ones included, oldest first."""
    return cases.standing()


def close(case_id: int, *, by: str, reason: str) -> ReconciliationCase:
    """Close a case by hand; found again, it is open again, and its rail paused.

    Raises:
        NotFound: there is no such case.
        Conflict: it is not open (``case_not_open``), or a pass alone may close its kind
            (``case_not_by_hand``).
    """
    with transaction():
        return cases.close(case_id, by=by, reason=reason)


def look_at(case_id: int) -> Mapping[str, Any]:
    """Say how a case stands, for the audit log; nothing if there is none."""
    case = db.session.get(ReconciliationCase, case_id, populate_existing=True)
    return {} if case is None else {"kind": case.kind, "subject": case.subject, "state": case.state}


def newest() -> Sequence[ReconciliationCase]:
    """Return cases in every state, newest first."""
    return cases.newest()


def _rail(name: str) -> Rail:
    if name in NETWORKS:
        return Rail(name, [name], networks.begin, networks.go_on)
    if name in PROVIDERS:
        return Rail(name, [name], payments.begin, payments.go_on)
    # Money of the book may leave by any network.
    return Rail(name, list(NETWORKS), _begin_ledger, _nothing_more)


def _begin_ledger(_name: str) -> Beginning:
    """Compare the book with itself; what belongs to one rail is that rail's."""
    theirs = chart.of_house(list(NETWORKS), list(PROVIDERS))
    others = [one.address for one in theirs if one.may_go_negative]
    wrong = books.tampered(others)
    if wrong:
        # Whatever else does not hold follows from it, or is seen once it is mended.
        return Beginning({}, [_tampered(*one) for one in wrong])
    if any(balance != booked for balance, booked in map(books.account, others)):
        return Beginning({}, [])
    broken = audit.findings()
    evidence = [{"rows": finding.detail[:2000]} for finding in broken]
    named = zip(broken, evidence, strict=True)
    return Beginning({}, [Finding("book_broken", one.invariant, rows) for one, rows in named])


def _tampered(address: str, balance: int, booked: int) -> Finding:
    return Finding("balance_tampered", address, {"balance": balance, "postings": booked})


def _nothing_more(_name: str, _number: int, _at: Mapping[str, Any], _cursor: str | None) -> Part:
    return Part(None, 0)


def _take(rail: Rail, *, at_once: bool) -> ReconciliationPass | None:
    """Take a rail for a while; None when somebody has it, or it is not time for it."""
    now = clock.now()
    new = {"rail": rail.name, "number": 0, "compared": 0, "unknown": 0}
    new |= {"ours_micro": ZERO, "theirs_micro": ZERO}
    with transaction() as session:
        session.execute(insert(ReconciliationPass).values(new).on_conflict_do_nothing())
        mark = session.get_one(
            ReconciliationPass, rail.name, with_for_update=LOCK, populate_existing=True
        )
        is_under_way = mark.begun_at is not None and now - mark.begun_at < _OLDEST
        rests = mark.ended_at is not None and now - mark.ended_at < _rest_after(mark)
        if (mark.busy_until or now) > now or (not is_under_way and rests and not at_once):
            return None
        mark.busy_until = now + _BUSY
        if not is_under_way:
            mark.begun_at, mark.at, mark.cursor = None, None, None
        session.flush()
        session.expunge(mark)
    release()
    return mark


def _rest_after(mark: ReconciliationPass) -> timedelta:
    took = (mark.at or {}).get("took", 0) if mark.begun_at is None else 0
    return max(_REST, _REST_TIMES * timedelta(seconds=int(took)))


def _work(rail: Rail, mark: ReconciliationPass) -> int:
    if mark.begun_at is None:
        _write_beginning(rail, mark.number + 1, rail.begin(rail.name))
        return 1
    part = rail.go_on(rail.name, mark.number, mark.at or {}, mark.cursor)
    with transaction() as session:
        row = session.get_one(
            ReconciliationPass, rail.name, with_for_update=LOCK, populate_existing=True
        )
        if (row.number, row.cursor) != (mark.number, mark.cursor):
            return 0  # somebody else was faster
        new = cases.note(rail.name, row.number, part.findings, rail.pausing)
        cases.keep(rail.name, row.number, part.unknown)
        part.after(new)
        row.compared += part.compared
        row.unknown += len(part.unknown)
        row.ours_micro += Usdc(part.ours)
        row.theirs_micro += Usdc(part.theirs)
        row.cursor, row.busy_until, row.said = part.cursor, None, None
        if part.cursor is None:
            _end(row)
    return 0 if part.cursor is None else 1


def _write_beginning(rail: Rail, number: int, begun: Beginning) -> None:
    with transaction() as session:
        row = session.get_one(
            ReconciliationPass, rail.name, with_for_update=LOCK, populate_existing=True
        )
        if row.number != number - 1 or row.begun_at is not None:
            return
        cases.note(rail.name, number, begun.findings, rail.pausing)
        row.number, row.begun_at, row.at, row.cursor = number, clock.now(), dict(begun.at), None
        row.compared, row.unknown, row.said, row.busy_until = 0, 0, None, None
        row.ours_micro, row.theirs_micro = Usdc(begun.ours), Usdc(begun.theirs)


def _end(row: ReconciliationPass) -> None:
    cases.end(row.rail, row.number)
    now = clock.now()
    took = int((now - row.begun_at).total_seconds()) if row.begun_at else 0
    row.begun_at, row.at, row.ended_at = None, {"took": took}, now
    row.last_compared = row.compared
    row.last_ours_micro, row.last_theirs_micro = row.ours_micro, row.theirs_micro
    current().flush()
    if cases.standing(row.rail):
        row.result = "differs"
    else:
        row.result = "unknown" if row.unknown else "ok"
        row.said = f"{row.unknown} did not answer" if row.unknown else None


def _leave(rail: Rail, **values: str) -> None:
    with transaction() as session:
        session.execute(
            update(ReconciliationPass)
            .where(ReconciliationPass.rail == rail.name)
            .values(busy_until=None, **values)
        )


def _passes() -> Sequence[ReconciliationPass]:
    return db.session.query(ReconciliationPass).populate_existing().all()


def _line(
    name: str, row: ReconciliationPass | None, standing: Sequence[ReconciliationCase]
) -> Line:
    if row is None:
        return Line(name, None, None, None, "unknown", "never compared")
    state, said = _state(row, standing)
    sums = row.last_compared, row.last_ours_micro, row.last_theirs_micro
    return Line(name, *sums, state, said, row.ended_at)


def _state(row: ReconciliationPass, standing: Sequence[ReconciliationCase]) -> tuple[str, str]:
    what = "; ".join(f"{case.kind} {case.subject}" for case in standing[:5])
    if any(case.state == "OPEN" for case in standing):
        return "DIFFERS", what
    if standing:
        return "seen", what
    if row.result == "ok":
        return "ok", ""
    return "unknown", row.said or "not compared to the end yet"
