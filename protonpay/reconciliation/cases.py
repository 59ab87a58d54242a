"""Mismatches: seen once, confirmed by a later look, opened once, closed when they vanish."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict, NotFound
from protonpay.rails import service as rails
from protonpay.reconciliation.models import ReconciliationCase
from protonpay.reconciliation.states import CASE
from protonpay.store.db import LOCK, current, db

log = structlog.get_logger(__name__)

PAUSE = timedelta(seconds=10)
"""Between the look that sees a mismatch and the one that may confirm it, at least."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of mismatch means.

    Attributes:
        mend: what an operator should do.
        pauses: whether the rail's payouts stop. USDC that is too much on a wallet of ours stops
            nothing: anybody can send some there.
        by_hand: whether an operator may close it: it is judged by what a card provider says, who
            may never answer again about what was settled with them. A chain always answers.
    """

    mend: str
    pauses: bool = True
    by_hand: bool = False


KINDS: Mapping[str, Kind] = {
    "treasury_deficit": Kind("Find the transfer out of the treasury that no payout explains."),
    "treasury_surplus": Kind("Book what was put in: flask ops book-capital.", pauses=False),
    "address_deficit": Kind("Find the transfer out of the address: who has its key?"),
    "address_surplus": Kind("Find the transfer on chain that the watch has no row of."),
    "credit_without_transfer": Kind("Look for the transfer; if there is none, who posted it?"),
    "transfer_not_credited": Kind("flask ops dead: replay wallets.incoming_changed."),
    "deposit_missing": Kind("Restore the deposit's row from a backup; it was credited or will be."),
    "balance_tampered": Kind("The postings are the truth: restore the balance, find who wrote it."),
    "book_broken": Kind("flask ops audit, then find the entry."),
    "payment_lost": Kind(
        "Ask the provider; without the payment take the credit back by hand.", by_hand=True
    ),
    "payment_without_deposit": Kind(
        "Restore the deposit's row, or give the payment back with the provider.", by_hand=True
    ),
    "payment_differs": Kind(
        "Ask the provider; correct the credit by an entry of its own.", by_hand=True
    ),
    "payment_not_credited": Kind(
        "flask ops dead; or give it back with the provider.", by_hand=True
    ),
    "refund_not_booked": Kind("flask ops dead: replay deposits.card_callback."),
    "refund_taken_back": Kind("Settle with the user by hand: a dispute was won.", by_hand=True),
    "credit_differs": Kind("The entry is not what the deposit says: find who changed which."),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A mismatch as one look has it."""

    kind: str
    subject: str
    evidence: Mapping[str, Any]


def note(rail: str, number: int, findings: Sequence[Finding], pausing: Sequence[str]) -> list[str]:
    """Write down what a pass found, in the caller's transaction; open what is confirmed.

    Args:
        rail: what was looked at.
        number: the pass.
        findings: what differs.
        pausing: the switches that a confirmed mismatch closes.

    Returns:
        The subjects that were seen for the first time.
    """
    return [
        finding.subject
        for finding in findings
        if not _is_explained(rail, number, finding) and not _known(rail, number, finding, pausing)
    ]


def keep(rail: str, number: int, subjects: Sequence[str]) -> None:
    """Leave what stands about subjects as it is: nothing was learned about them."""
    if subjects:
        current().execute(
            update(ReconciliationCase)
            .where(
                ReconciliationCase.rail == rail,
                ReconciliationCase.subject.in_(subjects),
                ReconciliationCase.state != "RESOLVED",
            )
            .values(seen_in=number)
        )


def end(rail: str, number: int) -> None:
    """Close what a whole pass did not find any more, in the caller's transaction."""
    gone = (ReconciliationCase.rail == rail) & (ReconciliationCase.seen_in < number)
    current().execute(
        delete(ReconciliationCase).where(gone, ReconciliationCase.state == CASE.initial)
    )
    closed = current().scalars(
        update(ReconciliationCase)
        .where(gone, ReconciliationCase.state == "OPEN")
        .values(state="RESOLVED", closed_at=clock.now(), note="not there any more")
        .returning(ReconciliationCase)
    )
    for case in closed:
        log.warning("case_resolved", rail=rail, case=case.id, kind=case.kind, subject=case.subject)


def close(case_id: int, *, by: str, reason: str) -> ReconciliationCase:
    """Close a case by hand, in the caller's transaction.

    The next pass that finds the difference opens it again at once, whoever closed it.

    Raises:
        NotFound: there is no such case.
        Conflict: it is not open (``case_not_open``), or a pass alone may close its kind
            (``case_not_by_hand``).
    """
    case = current().get(ReconciliationCase, case_id, with_for_update=LOCK, populate_existing=True)
    if case is None:
        raise NotFound("not_found", "There is no such case.")
    if case.state != "OPEN":
        raise Conflict("case_not_open", "This case is not open.")
    if not KINDS[case.kind].by_hand:
        raise Conflict("case_not_by_hand", "A case of this kind closes only when it is mended.")
    CASE.check(case.state, "RESOLVED")
    case.state, case.closed_at, case.closed_by, case.note = "RESOLVED", clock.now(), by, reason
    current().flush()
    log.warning("case_closed_by_hand", case=case.id, kind=case.kind, subject=case.subject, by=by)
    return case


def standing(rail: str | None = None) -> Sequence[ReconciliationCase]:
    """Return what is seen or open, oldest first."""
    found = select(ReconciliationCase).where(ReconciliationCase.state != "RESOLVED")
    if rail is not None:
        found = found.where(ReconciliationCase.rail == rail)
    return db.session.scalars(
        found.order_by(ReconciliationCase.id), execution_options={"populate_existing": True}
    ).all()


def newest(limit: int = 50) -> Sequence[ReconciliationCase]:
    """Return cases in every state, newest first."""
    return db.session.scalars(
        select(ReconciliationCase).order_by(ReconciliationCase.id.desc()).limit(limit),
        execution_options={"populate_existing": True},
    ).all()


def _is_explained(rail: str, number: int, finding: Finding) -> bool:
    """Tell whether what an address has more is a credit without a transfer, found in this pass.

    Then both are one mismatch: the row of that transfer was lost. The address is noted with it.
    """
    if finding.kind != "address_surplus":
        return False
    more = finding.evidence["chain"] - finding.evidence["rows"]
    at = ReconciliationCase.evidence["address"].as_string()
    case = current().scalar(
        select(ReconciliationCase)
        .where(
            ReconciliationCase.rail == rail,
            ReconciliationCase.kind == "credit_without_transfer",
            ReconciliationCase.seen_in == number,
            ReconciliationCase.state != "RESOLVED",
            ReconciliationCase.evidence["micro"].as_integer() == more,
            at.is_(None) | (at == finding.subject),
        )
        .order_by(ReconciliationCase.id)
        .limit(1),
        execution_options={"populate_existing": True},
    )
    if case is None:
        return False
    case.evidence = {**case.evidence, "address": finding.subject}
    current().flush()
    return True


def _known(rail: str, number: int, finding: Finding, pausing: Sequence[str]) -> bool:
    now = clock.now()
    row = {
        "rail": rail,
        "kind": finding.kind,
        "subject": finding.subject,
        "evidence": dict(finding.evidence),
        "state": CASE.initial,
        "seen_in": number,
        "seen_at": now,
    }
    made = insert(ReconciliationCase).values(row).on_conflict_do_nothing()
    new_id = current().scalar(made.returning(ReconciliationCase.id))
    if new_id is not None:
        if not _was_closed_by_hand(rail, finding):
            return False
        # It was confirmed once: whoever closed it, it stands.
        _open(current().get_one(ReconciliationCase, new_id), pausing)
        current().flush()
        return True
    case = (
        current()
        .scalars(
            select(ReconciliationCase)
            .filter_by(rail=rail, kind=finding.kind, subject=finding.subject)
            .where(ReconciliationCase.state != "RESOLVED")
            .with_for_update(**LOCK),
            execution_options={"populate_existing": True},
        )
        .one()
    )
    looked_again = case.seen_in < number and now - case.seen_at >= PAUSE
    # What an address was found to explain stays said.
    kept = {name: case.evidence[name] for name in ("address",) if name in case.evidence}
    case.evidence, case.seen_in = {**kept, **finding.evidence}, number
    if case.state == CASE.initial and looked_again:
        _open(case, pausing)
    current().flush()
    return True


def _was_closed_by_hand(rail: str, finding: Finding) -> bool:
    """Tell whether the last case of this very difference was closed by an operator."""
    by = current().scalar(
        select(ReconciliationCase.closed_by)
        .filter_by(rail=rail, kind=finding.kind, subject=finding.subject, state="RESOLVED")
        .order_by(ReconciliationCase.id.desc())
        .limit(1)
    )
    return by is not None


def _open(case: ReconciliationCase, pausing: Sequence[str]) -> None:
    CASE.check(case.state, "OPEN")
    case.state, case.opened_at = "OPEN", clock.now()
    what = {"rail": case.rail, "kind": case.kind, "subject": case.subject}
    log.error("case_opened", case=case.id, **what, evidence=case.evidence)
    if KINDS[case.kind].pauses:
        for rail in pausing:
            reason = f"case {case.id}: {case.kind} {case.subject}"
            rails.pause(rail, reason=reason, by="reconciliation")
