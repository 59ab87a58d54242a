"""Propose a correction of the book, and let a second person post or refuse it.

It is always an entry of two accounts, never an edit, and no account that may not be below zero
gets there by it. Nothing of a user's that is promised to a payout can be touched.
"""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from protonpay.adjustments.models import Adjustment
from protonpay.adjustments.states import ADJUSTMENT
from protonpay.audit import service as audit
from protonpay.audit.service import Operator
from protonpay.cards.registry import PROVIDERS
from protonpay.chains.registry import NETWORKS
from protonpay.kernel import clock, ids
from protonpay.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from protonpay.kernel.money import Usdc
from protonpay.ledger import chart, entries
from protonpay.ledger import service as ledger
from protonpay.store.db import LOCK, current, db, transaction

__all__ = ["Adjustment", "approve", "get", "propose", "refuse", "waiting"]

_OF_A_USER = re.compile(r"user:[a-z0-9]+:available", re.ASCII)


def propose(
    by: Operator,
    *,
    source: str,
    destination: str,
    amount: Usdc,
    reason: str,
    reference: str | None = None,
) -> Adjustment:
    """Ask for a correction; nothing moves until somebody else approves it.

    Args:
        by: who.
        source: the account it is taken from.
        destination: the account it is given to.
        amount: above zero.
        reason: why; kept for ever.
        reference: a name for it: the same facts under it once more are the same proposal.

    Raises:
        Conflict: the reference names another proposal (``reference_taken``).
        Invalid: no such account, one that no person may touch, twice the same, or no amount
            (``validation_error``); no reason.
    """
    with transaction():
        for address in (source, destination):
            _check_account(address)
        if source == destination or not amount:
            said = "An adjustment moves an amount above zero between two accounts."
            raise Invalid("validation_error", said)
        facts = (source, destination, amount, by.name)
        known = _named(reference, facts)
        if known is not None:
            return known
        row = Adjustment(
            id=ids.new_id(),
            reference=reference,
            source=source,
            destination=destination,
            amount_micro=amount,
            reason=reason,
            state=ADJUSTMENT.initial,
            proposed_by=by.name,
            proposed_at=clock.now(),
        )
        with audit.recorded(by, "adjustments.propose", f"adjustment {row.id}", reason):
            _add(row)
    return row


def get(adjustment_id: str) -> Adjustment:
    """Return an adjustment.

    Raises:
        NotFound: there is none.
    """
    row = db.session.get(Adjustment, adjustment_id)
    if row is None:
        raise NotFound("not_found", "There is no such adjustment.")
    return row


def approve(by: Operator, adjustment_id: str, *, reason: str) -> Adjustment:
    """Post a correction that somebody else proposed, once.

    Raises:
        NotFound: there is no such adjustment.
        Forbidden: it is their own (``second_person``).
        Conflict: it was decided (``state_conflict``).
        Invalid: the source has less than that (``insufficient_balance``); no reason.
    """
    with transaction():
        row = _undecided(by, adjustment_id)
        with _recorded(by, "approve", row, reason):
            _decide(row, "POSTED", by, reason)
            ledger.post(entries.adjustment(row.id, row.source, row.destination, row.amount_micro))
    return row


def refuse(by: Operator, adjustment_id: str, *, reason: str) -> Adjustment:
    """End a proposal without an entry; who proposed it may do so, too.

    Raises:
        NotFound: there is no such adjustment.
        Conflict: it was decided (``state_conflict``).
        Invalid: no reason.
    """
    with transaction():
        row = _locked(adjustment_id)
        # The database keeps a second person's name for what was decided by one.
        decider = (
            by if by.name != row.proposed_by else Operator(f"{by.name} (withdrawn)", by.origin)
        )
        with _recorded(by, "refuse", row, reason):
            _decide(row, "REFUSED", decider, reason)
    return row


def waiting() -> Sequence[Adjustment]:
    """Return what waits for a second person, oldest first."""
    found = select(Adjustment).where(Adjustment.state == ADJUSTMENT.initial)
    return db.session.scalars(found.order_by(Adjustment.proposed_at)).all()


def _named(reference: str | None, facts: tuple[str, str, Usdc, str]) -> Adjustment | None:
    if reference is None:
        return None
    row = current().scalar(select(Adjustment).where(Adjustment.reference == reference))
    if row and (row.source, row.destination, row.amount_micro, row.proposed_by) != facts:
        raise _taken()
    return row


def _add(row: Adjustment) -> None:
    try:
        with current().begin_nested():
            current().add(row)
    except IntegrityError as error:  # somebody was faster
        raise _taken() from error


def _taken() -> Conflict:
    return Conflict("reference_taken", "This reference names another adjustment.")


def _recorded(by: Operator, verb: str, row: Adjustment, reason: str) -> Any:
    def look() -> dict[str, str]:
        return {
            "state": row.state,
            row.source: str(ledger.balance(row.source)),
            row.destination: str(ledger.balance(row.destination)),
        }

    return audit.recorded(by, f"adjustments.{verb}", f"adjustment {row.id}", reason, look)


def _undecided(by: Operator, adjustment_id: str) -> Adjustment:
    row = _locked(adjustment_id)
    if row.proposed_by == by.name:
        raise Forbidden("second_person", "Somebody else than who proposed it must approve it.")
    return row


def _locked(adjustment_id: str) -> Adjustment:
    row = current().get(Adjustment, adjustment_id, with_for_update=LOCK, populate_existing=True)
    if row is None:
        raise NotFound("not_found", "There is no such adjustment.")
    if row.state != ADJUSTMENT.initial:
        raise Conflict("state_conflict", "This adjustment is decided already.")
    return row


def _decide(row: Adjustment, state: str, by: Operator, reason: str) -> None:
    ADJUSTMENT.check(row.state, state)
    row.state, row.decision = state, reason
    row.decided_by, row.decided_at = by.name, clock.now()
    current().flush()


def _check_account(address: str) -> None:
    house = {chart.FEES, chart.CAPITAL}
    house |= {account(name) for name in NETWORKS for account in (chart.custody, chart.suspense)}
    house |= {chart.clearing(name) for name in PROVIDERS}
    known = address in house or bool(_OF_A_USER.fullmatch(address))
    if known:
        try:
            ledger.balance(address)
        except ledger.UnknownAccount:
            known = False
    if not known:
        said = "There is no such account, or nobody may adjust it: {address}."
        raise Invalid("validation_error", said, address=address)
