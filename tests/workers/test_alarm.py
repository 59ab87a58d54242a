"""An urgent row is in the queue the moment it is due, before any sweeper comes round."""

from collections.abc import Iterator

import pytest

from protonpay.kernel import clock
from protonpay.store import outbox
from protonpay.store.bell import bell
from protonpay.store.db import transaction
from protonpay.store.queue import door
from tests.committed import OpenHouse
from tests.patience import until
from workers import alarm as alarms
from workers.alarm import Alarm


@pytest.fixture
def _rung(open_house: OpenHouse) -> Iterator[None]:
    alarm = Alarm()
    alarm.start(open_house.app)
    yield
    alarm.stop()


def _waiting() -> int:
    return int(door.client.llen("rq:queue:settle"))


def _add(seconds: float) -> None:
    with transaction():
        outbox.add("payouts.confirm", delay_seconds=seconds, attempt_id=1)


@pytest.mark.usefixtures("_rung")
def test_it_is_pushed_when_it_is_due():
    _add(60)
    _add(0.2)
    assert _waiting() == 0

    until(lambda: _waiting() == 1)


@pytest.mark.usefixtures("_rung")
def test_a_sweep_that_fails_ends_nothing(monkeypatch: pytest.MonkeyPatch):
    sweeps: list[bool] = []

    def fails(*, urgent_only: bool) -> int:
        sweeps.append(urgent_only)
        raise LookupError

    with monkeypatch.context() as failing:
        failing.setattr(alarms.outbox, "sweep", fails)
        bell.ring_at("payouts.confirm", clock.now())
        until(lambda: sweeps == [True])

    _add(-1)
    bell.ring_at("payouts.confirm", clock.now())
    until(lambda: _waiting() == 1)
