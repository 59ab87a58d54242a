"""Withdrawals as clients order them, and what the database and the book say of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import select
from werkzeug.test import TestResponse

from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.payouts import sending, signing
from protonpay.payouts.models import AttemptedPayout, Payout, PayoutAttempt
from protonpay.store.db import db
from protonpay.store.jobs import Later
from protonpay.store.outbox import OutboxRow
from protonpay.wire.http import NoAnswer
from tests.actors import Actor
from tests.unchanged import only_changes

WALLETS = {
    "Solana": "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv",
    "Base": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "Polygon": "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
}

SILENT = NoAnswer("POST 127.0.0.1:8545: ReadTimeout")
# What is held was appended and never folded, so no folded balance moves.
BOOKED = ("journal_entries", "postings", "ledger_pending")
TRIED = ("payout_attempts", "attempted_payouts")
ENDED = ("payouts", *TRIED, "events", *BOOKED)


def withdraw(actor: Actor, amount: Any = 50, network: str = "Base", **changes: Any) -> TestResponse:
    """Order a withdrawal to a good wallet."""
    order = {"amount": amount, "walletAddress": WALLETS.get(network, ""), "network": network}
    return actor.post("/client/withdraw", order | changes)


def withdraw_at(moment: datetime, actor: Actor, amount: Any = 50, network: str = "Base") -> str:
    """Order a withdrawal at a moment, which must be accepted; return its id."""
    with clock.frozen(moment):
        answer = withdraw(actor, amount, network)
    assert answer.status_code == 200, answer.get_json()
    payout_id: str = answer.get_json()["payout"]["id"]
    return payout_id


def stored(payout_id: str) -> Payout:
    """Return a payout as the database has it now."""
    return db.session.get_one(Payout, payout_id, populate_existing=True)


def put(payout_id: str, state: str) -> None:
    """Put a payout into a state, whatever the table of moves says."""
    stored(payout_id).state = state
    db.session.commit()


def jobs() -> list[tuple[str, dict[str, Any]]]:
    """Return every row of the outbox but letters, in order: which job, about what."""
    others = select(OutboxRow.job, OutboxRow.args).where(OutboxRow.job != "mail.send")
    rows = db.session.execute(others.order_by(OutboxRow.id))
    return [(job, args) for job, args in rows]


def usdc(amount: str) -> Usdc:
    """Read an amount."""
    return Usdc.parse(amount)


def attempts(payout_id: str | None = None) -> list[PayoutAttempt]:
    """Return the attempts of a payout, or of all, in the order they were signed."""
    wanted = select(PayoutAttempt).order_by(PayoutAttempt.id)
    if payout_id is not None:
        wanted = wanted.join(AttemptedPayout).where(AttemptedPayout.payout_id == payout_id)
    return list(db.session.scalars(wanted.execution_options(populate_existing=True)))


def accepted(actor: Actor, amount: Any = 50, network: str = "Base") -> str:
    """Order a withdrawal that is accepted; return its id."""
    answer = withdraw(actor, amount, network)
    assert answer.status_code == 200, answer.get_json()
    payout_id: str = answer.get_json()["payout"]["id"]
    return payout_id


def newest(payout_id: str) -> int:
    """Return the id of the payout's newest attempt; 0 if it has none."""
    found = attempts(payout_id)
    return found[-1].id if found else 0


def sign(payout_id: str) -> Later | None:
    """Do the job that signs a payout."""
    return signing.sign(payout_id).later


def broadcast(payout_id: str) -> Later | None:
    """Do the job that hands in the payout's newest attempt."""
    return sending.broadcast(newest(payout_id))


def confirm(payout_id: str) -> Later | None:
    """Do the job that asks what became of the payout's newest attempt."""
    return sending.confirm(newest(payout_id))


def outbid(payout_id: str) -> Later | None:
    """Do the job that raises the fees of the payout's newest attempt."""
    return sending.outbid(newest(payout_id))


def sent(payout_id: str) -> PayoutAttempt:
    """Sign and broadcast a payout; return its open attempt."""
    assert sign(payout_id) is None
    assert broadcast(payout_id) is None
    (attempt,) = (each for each in attempts(payout_id) if each.state == "OPEN")
    return attempt


def books(actor: Actor) -> tuple[str, str, str, str]:
    """Return what a user may spend and has on its way out, Base's custody and our fees."""
    custody, fees = ledger.balance(chart.custody("Base")), ledger.balance(chart.FEES)
    return str(actor.available), str(actor.held), str(custody), str(fees)


@contextmanager
def only_waits(payout_id: str, code: str) -> Iterator[None]:
    """Assert that the block changes nothing at all but what the payout says it waits for."""
    before = _but_the_wait(payout_id)
    with only_changes("payouts"):
        yield
    assert _but_the_wait(payout_id) == before
    assert stored(payout_id).waits_for == code


def _but_the_wait(payout_id: str) -> dict[str, Any]:
    payout = stored(payout_id)
    names = [column.key for column in Payout.__mapper__.columns]
    return {name: getattr(payout, name) for name in names if not name.startswith("waits_")}
