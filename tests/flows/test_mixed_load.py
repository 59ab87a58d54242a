"""Every money route at once while workers die at random (checklist 114)."""

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
import pytest

from protonpay.kernel import clock
from protonpay.kernel.events import DOCUMENTED
from tests.flows.city import City
from tests.flows.crowd import LONG, Patron, Tally, wishes
from tests.patience import until

pytestmark = pytest.mark.slow

PATRONS = 4
EVENTS = "SELECT id FROM events WHERE user_id = %(user)s AND name = ANY(%(names)s)"
# What the checklist's line says of every row, as queries that find what breaks it.
BREAKS = {
    "each payout has exactly one debit": """
        SELECT p.id FROM payouts p WHERE p.created_at >= %(since)s AND (1 <> (
            SELECT count(*) FROM journal_entries e WHERE e.kind = 'payout_hold'
            AND e.reference = 'payout:' || p.id || ':hold')
        OR 1 <> (SELECT count(*) FROM journal_entries e WHERE e.kind IN
            ('payout_settle', 'payout_release') AND split_part(e.reference, ':', 2) = p.id))""",
    "each card deposit is credited at most once, and only when paid": """
        SELECT d.id FROM deposits d WHERE d.provider IS NOT NULL AND d.created_at >= %(since)s
        AND (d.state = 'CONFIRMED')::int <> (
            SELECT count(*) FROM journal_entries e WHERE e.kind = 'card_credit'
            AND split_part(e.reference, ':', 2) = d.id)""",
    "each transfer on chain is credited exactly once": """
        SELECT i.id FROM incoming i WHERE i.seen_at >= %(since)s AND 1 <> (
            SELECT count(*) FROM journal_entries e WHERE e.kind = 'chain_credit'
            AND e.reference = 'incoming:' || i.id || ':credit')""",
    "each event goes at most once to each endpoint": """
        SELECT event_id FROM webhook_deliveries WHERE due_at >= %(since)s
        GROUP BY event_id, endpoint_id HAVING count(*) > 1""",
    "no work is dead": """
        SELECT id, job, last_error FROM outbox WHERE dead_at >= %(since)s""",
}


class Killer:
    """Kills one process at a time, now of this group and now of that, until called off."""

    def __init__(self, city: City, chance: random.Random) -> None:
        self._city, self._chance = city, chance
        self._over = threading.Event()
        self.killed: Counter[str] = Counter()

    def work(self) -> None:
        groups = list(self._city.groups)
        while not self._over.wait(self._chance.uniform(0.4, 1.6)) or len(self.killed) < len(groups):
            group = self._chance.choice(groups)
            self.killed[group] += self._city.kill_one_of(group, self._chance)

    @contextmanager
    def at_large(self) -> Iterator[None]:
        thread = threading.Thread(target=self.work)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()


@pytest.fixture(params=[20261126])
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def _patrons(city: City, tally: Tally, seed: int) -> list[Patron]:
    made = []
    for number in range(PATRONS):
        resident = city.resident("Patron")
        city.subscribe(resident, *DOCUMENTED)
        city.pay(resident, "100")
        made.append(Patron(city, resident, tally, random.Random(seed + number)))
        tally.moved("100", to=made[-1])
    return made


def _live(patron: Patron, friends: list[Patron]) -> None:
    for wish in wishes(patron, friends):
        wish()


@pytest.mark.checklist(114)
def test_every_money_route_at_once_while_workers_die(city: City, seed: int):
    tally, since = Tally(), clock.now()
    patrons = _patrons(city, tally, seed)
    killer = Killer(city, random.Random(seed))

    with killer.at_large(), ThreadPoolExecutor(PATRONS) as crowd:
        living = [
            crowd.submit(_live, patron, [friend for friend in patrons if friend is not patron])
            for patron in patrons
        ]
        for life in living:
            life.result()

    assert set(killer.killed) == set(city.groups)
    for end in tally.final:
        until(end, LONG)
    for patron in patrons:
        until(lambda patron=patron: patron.micro() == tally.of(patron), LONG)
    for _, _, network, wallet, micro in tally.sent:
        assert city.on_chain(network, wallet) == micro
    assert {what for what, status in tally.told if status == 200} >= {
        "transfer", "withdraw", "card", "crypto", "bill", "pay", "refund", "cancel"
    }  # fmt: skip
    _everybody_was_told(city, patrons)
    assert city.books_are_sound()
    _rows_keep_the_line(city, since)


def _everybody_was_told(city: City, patrons: list[Patron]) -> None:
    """Wait until each event is delivered; then each is known by one id and has one body."""
    for patron in patrons:
        wanted = _rows(city, EVENTS, user=patron.id, names=list(DOCUMENTED))
        ids = {event_id for (event_id,) in wanted}
        assert ids
        until(lambda patron=patron, ids=ids: set(_bodies(city, patron)) >= ids, LONG)
        told = _bodies(city, patron)
        assert set(told) == ids
        assert all(len(bodies) == 1 for bodies in told.values())


def _bodies(city: City, patron: Patron) -> dict[str, set[str]]:
    told: dict[str, set[str]] = {}
    for headers, body in city.inbox.of(patron.id):
        told.setdefault(headers["webhook-id"], set()).add(json.dumps(json.loads(body)["data"]))
    return told


def _rows_keep_the_line(city: City, since: datetime) -> None:
    for line, query in BREAKS.items():
        assert _rows(city, query, since=since) == [], line


def _rows(city: City, query: str, **values: Any) -> list[Any]:
    with psycopg.connect(city.environ["DATABASE_URL"]) as connection:
        return connection.execute(query, values).fetchall()
