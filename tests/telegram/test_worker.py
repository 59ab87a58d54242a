"""The process that serves Telegram's queue: it listens and sends, and may die at any moment."""

import os
import signal
from datetime import timedelta
from functools import partial

import pytest

from protonpay.store import db, outbox
from protonpay.store.db import release, transaction
from protonpay.store.jobs import TELEGRAM
from protonpay.telegram import messages, polling, service
from protonpay.telegram.bot import Bot
from protonpay.telegram.service import line
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse
from tests.patience import until
from tests.telegram.chats import Telegram, asked
from tests.telegram.conftest import TOKEN
from tests.workers.processes import forked
from workers import pool
from workers import telegram as worker

pytestmark = pytest.mark.slow


def linked(actor: Actor) -> bool:
    release()
    return service.chat_of(actor.id) is not None


def test_a_killed_worker_is_followed_by_one_that_goes_on(
    open_house: OpenHouse, telegram: Telegram, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pool, "_RESTART_SECONDS", 0.05)
    monkeypatch.setattr(worker, "_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(outbox, "QUEUED_LEASE", timedelta(seconds=1))
    line.bind(Bot(telegram.url, TOKEN), f"{telegram.url}/tests_bot")
    alice, bob = make_actor(open_house.app, "Alice"), make_actor(open_house.app, "Bob")
    anna, boris = telegram.someone(), telegram.someone()
    with forked(open_house, partial(pool.serve, open_house.app, (TELEGRAM,))) as parent:
        anna.presses_start(asked(alice))
        until(lambda: linked(alice))
        until(lambda: len(anna.read) == 1)
        (child,) = parent.children()
        os.kill(child, signal.SIGKILL)
        boris.presses_start(asked(bob))
        until(lambda: linked(bob))
        until(lambda: len(boris.read) == 1)
        with transaction():
            messages.post(service.users.get(alice.id), "identity_approved", when="now")
        until(lambda: len(anna.read) == 2)
        # What was dealt with before the kill was not again.
        assert len(boris.read) == 1
    rows = db.execute("SELECT count(*) FROM telegram_chats", {}).fetchone()
    assert rows == (2,)


def test_of_two_one_listens(open_house: OpenHouse, telegram: Telegram):
    with polling.alone() as first, polling.alone() as second:
        assert first.holds()
        assert not second.holds()
    with polling.alone() as third:
        assert third.holds()
