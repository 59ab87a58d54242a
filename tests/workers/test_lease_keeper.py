"""A living worker keeps the row in its hands; a dead one loses it."""

import os
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
import pytest

from protonpay.kernel import clock
from protonpay.kernel.errors import Unavailable
from protonpay.store import db, outbox
from protonpay.store.db import transaction
from protonpay.store.outbox import Ticket
from protonpay.store.queue import door
from tests.committed import OpenHouse
from tests.patience import until
from tests.workers.processes import forked
from workers import job as jobs
from workers.job import LeaseKeeper, job

NAME = "payouts.sign"

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("own_jobs")]


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "RUNNING_LEASE", timedelta(milliseconds=500))
    monkeypatch.setattr(jobs, "_RENEW_SECONDS", 0.05)


def _begun() -> Ticket:
    with transaction():
        outbox.add(NAME, payout_id="p")
    last = db.execute("SELECT max(id) FROM outbox", {}).fetchone()
    ticket = Ticket(last[0], 1)
    outbox.begin(ticket)
    return ticket


def _lease(ticket: Ticket) -> datetime:
    query = "SELECT leased_until FROM outbox WHERE id = %(id)s"
    found = db.execute(query, {"id": ticket.row_id}).fetchone()
    db.release()
    return found[0]


def _grows(ticket: Ticket) -> bool:
    before = _lease(ticket)
    until(lambda: _lease(ticket) > before)
    return True


@pytest.fixture
def keeper(open_house: OpenHouse) -> Iterator[LeaseKeeper]:
    keeper = LeaseKeeper()
    keeper.start(open_house.app)
    yield keeper
    keeper.hold(None)


def test_the_row_in_hand_is_renewed_again_and_again(keeper: LeaseKeeper):
    ticket = _begun()
    keeper.hold(ticket)
    assert _grows(ticket)
    assert _grows(ticket)
    assert _lease(ticket) > clock.now()


def test_the_next_row_is_renewed_and_the_one_before_is_left(keeper: LeaseKeeper):
    first, second = _begun(), _begun()
    keeper.hold(first)
    assert _grows(first)
    keeper.hold(second)
    assert _grows(second)
    left = _lease(first)
    assert _grows(second)
    assert _lease(first) == left


def test_without_a_row_in_hand_nothing_is_renewed(keeper: LeaseKeeper):
    first, witness = _begun(), _begun()
    keeper.hold(first)
    assert _grows(first)
    keeper.hold(None)
    keeper.hold(witness)
    left = _lease(first)
    assert _grows(witness)
    assert _lease(first) == left


@pytest.mark.parametrize(
    "trouble", [Unavailable("database_busy", "Busy."), psycopg.OperationalError("gone")], ids=repr
)
def test_a_renewal_that_fails_is_tried_again(keeper: LeaseKeeper, monkeypatch, trouble: Exception):
    renew, failures = outbox.renew, iter([trouble, trouble])

    def stumble(ticket: Ticket) -> None:
        for failure in failures:
            raise failure
        renew(ticket)

    monkeypatch.setattr(outbox, "renew", stumble)
    ticket = _begun()
    keeper.hold(ticket)
    assert _grows(ticket)
    assert next(failures, None) is None


def test_a_slow_job_keeps_its_row_and_a_killed_one_loses_it(open_house: OpenHouse):
    with transaction():
        outbox.add(NAME, payout_id="p")
    ticket = Ticket(db.execute("SELECT id FROM outbox", {}).fetchone()[0], 1)
    db.release()

    def slow(payout_id: str) -> None:
        door.client.set("slow:began", os.getpid())
        door.client.blpop("slow:never", 60)

    def worker() -> None:
        jobs.keeper.start(open_house.app)
        job(NAME)(slow)(ticket.row_id, ticket.fence)

    with forked(open_house, worker) as process:
        until(lambda: door.client.get("slow:began"))
        began = _lease(ticket)
        until(lambda: _lease(ticket) > began + 2 * outbox.RUNNING_LEASE)
        assert outbox.sweep() == 0

        process.send(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL

    until(lambda: outbox.sweep() == 1)
    assert clock.now() > _lease(ticket) - outbox.QUEUED_LEASE
    assert outbox.begin(ticket) is None
    assert outbox.begin(Ticket(ticket.row_id, 2)) == {"payout_id": "p"}
