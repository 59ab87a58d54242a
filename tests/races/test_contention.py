"""Many entries on few accounts: no deadlock, no lost micro, nobody below zero."""

import itertools
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from protonpay.kernel import ids
from protonpay.kernel.errors import Invalid
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import audit, chart, entries
from protonpay.ledger import service as ledger
from protonpay.ledger.entries import Entry, Posting
from protonpay.ledger.service import Posted, ReferenceTaken
from protonpay.store import db
from protonpay.transfers import service as transfers
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse
from tests.ledger.book import available, new_user, post, usdc

pytestmark = pytest.mark.slow


def _total() -> int:
    query = """
        SELECT (SELECT sum(micro) FROM ledger_balances)
             + (SELECT coalesce(sum(micro), 0) FROM ledger_pending)
    """
    return db.execute(query, {}).fetchone()[0]


def _failures(results: list[object]) -> list[Exception]:
    return [result for result in results if isinstance(result, Exception)]


def _pay(times: int, sender: Actor, recipient: Actor, amount: str) -> None:
    for _ in range(times):
        transfers.send(sender.id, to_identifier=recipient.email, amount=usdc(amount))


def until_others_wait(house: OpenHouse, count: int) -> None:
    """Return when so many sessions of this database wait for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
    with house.superuser() as connection:
        for _ in range(1000):
            if connection.execute(query, (house.database,)).fetchone() == (count,):
                return
            connection.execute("SELECT pg_sleep(0.002)")
    raise AssertionError("they do not wait")


def overtaken(house: OpenHouse, row: tuple[str, str], *works: Callable[[], Any]) -> list[Any]:
    """Let the first of two have a row (table and id) while the second waits for it already."""
    table, row_id = row
    with house.superuser() as holder:
        holder.execute("BEGIN")
        holder.execute(f"SELECT FROM {table} WHERE id = %s FOR UPDATE", (row_id,))

        def after_the_first() -> Any:
            until_others_wait(house, 1)
            return works[1]()

        def let_go() -> None:
            until_others_wait(house, 2)
            holder.execute("ROLLBACK")

        return house.inside_at_once([works[0], after_the_first, let_go])[:2]


@pytest.mark.checklist(86)
def test_a_hundred_times_there_and_back_in_parallel(open_house: OpenHouse):
    alice = make_actor(open_house.app, "Alice", funded="1000")
    bob = make_actor(open_house.app, "Bob", funded="1000")
    there = [partial(_pay, 10, alice, bob, "3")] * 10
    back = [partial(_pay, 10, bob, alice, "2")] * 10

    results = open_house.inside_at_once([w for pair in zip(there, back, strict=True) for w in pair])

    assert _failures(results) == []
    assert (alice.available, bob.available) == (usdc("900"), usdc("1100"))
    assert _total() == 0
    assert audit.findings() == []


def test_there_and_back_with_nothing_to_spare(open_house: OpenHouse):
    """Each debit needs what the other side sent a moment ago, so each folds under its lock."""
    alice, bob = new_user("5"), new_user("5")

    def swap(sender: str, recipient: str) -> Counter[str]:
        ends: Counter[str] = Counter()
        for _ in range(25):
            try:
                post(entries.transfer(ids.new_id(), sender, recipient, usdc("5"), ZERO))
                ends["moved"] += 1
            except Invalid as refusal:
                ends[refusal.code] += 1
        return ends

    sides = [partial(swap, alice, bob), partial(swap, bob, alice)]
    results = open_house.inside_at_once(sides * 4)

    assert _failures(results) == []
    assert sum(results, Counter()).total() == 200
    assert available(alice) + available(bob) == usdc("10")
    assert _total() == 0
    assert audit.findings() == []


def test_entries_with_two_sources_in_opposite_order_never_wait_in_a_circle(open_house: OpenHouse):
    users = [new_user("1000") for _ in range(4)]
    till = new_user()

    def collect(first: str, second: str) -> None:
        for _ in range(20):
            sides = (
                Posting(chart.available(first), chart.available(till), usdc("1")),
                Posting(chart.available(second), chart.available(till), usdc("1")),
            )
            post(Entry(ids.new_id(), "transfer", sides))

    pairs = list(itertools.permutations(users, 2))
    results = open_house.inside_at_once([partial(collect, *pair) for pair in pairs])

    assert _failures(results) == []
    assert available(till) == usdc("480")
    assert {available(user) for user in users} == {usdc("880")}
    assert audit.findings() == []


def test_one_entry_posted_by_forty_at_once_stands_once(open_house: OpenHouse):
    alice, bob = new_user("100"), new_user()
    entry = entries.transfer("the one", alice, bob, usdc("60"), usdc("1"))

    results: list[Posted] = open_house.inside_at_once([partial(post, entry)] * 40)

    assert _failures(results) == []
    assert Counter(posted.replayed for posted in results) == {False: 1, True: 39}
    assert len({posted.entry_id for posted in results}) == 1
    assert {posted.balances for posted in results} == {(usdc("39"), usdc("39"))}
    assert (available(alice), available(bob)) == (usdc("39"), usdc("60"))
    assert audit.findings() == []


def test_of_forty_entries_under_one_reference_one_stands(open_house: OpenHouse):
    alice, bob = new_user("1000"), new_user()
    rivals = [entries.transfer("the one", alice, bob, Usdc(1 + n), ZERO) for n in range(40)]

    results = open_house.inside_at_once([partial(post, rival) for rival in rivals])

    assert Counter(type(result) for result in results) == {Posted: 1, ReferenceTaken: 39}
    winner = next(n for n, result in enumerate(results) if isinstance(result, Posted))
    assert available(bob) == Usdc(1 + winner)
    assert available(alice) + available(bob) == usdc("1000")
    assert audit.findings() == []


def test_a_reference_that_was_rolled_back_goes_to_one_of_those_who_wait(open_house: OpenHouse):
    alice, bob = new_user("100"), new_user()
    entry = entries.transfer("the one", alice, bob, usdc("60"), ZERO)
    posted = threading.Event()

    def post_and_stumble() -> None:
        with db.transaction():
            ledger.post(entry)
            posted.set()
            until_others_wait(open_house, 6)
            raise LookupError

    def follow() -> Posted:
        assert posted.wait(10)
        return post(entry)

    first, *others = open_house.inside_at_once([post_and_stumble, *[follow] * 6])

    assert isinstance(first, LookupError)
    assert Counter(one.replayed for one in others) == {False: 1, True: 5}
    assert (available(alice), available(bob)) == (usdc("40"), usdc("60"))
    assert audit.findings() == []


def test_a_debit_that_waited_finds_what_the_one_before_folded(open_house: OpenHouse):
    """Nothing is folded when both begin; the first folds all, and the second still has enough."""
    alice, bob = new_user("10"), new_user()
    first_is_posted = threading.Event()

    def first() -> None:
        with db.transaction():
            ledger.post(entries.transfer("first", alice, bob, usdc("4"), ZERO))
            first_is_posted.set()
            until_others_wait(open_house, 1)

    def second() -> Posted:
        assert first_is_posted.wait(10)
        return post(entries.transfer("second", alice, bob, usdc("6"), ZERO))

    results = open_house.inside_at_once([first, second])

    assert _failures(results) == []
    assert (available(alice), available(bob)) == (ZERO, usdc("10"))
    assert audit.findings() == []


class Merchant:
    """Everybody pays one account while it spends, is folded and is looked at."""

    def __init__(self, house: OpenHouse) -> None:
        self.house = house
        self.shop, self.supplier = new_user(), new_user()
        self.customers = [new_user("100") for _ in range(10)]
        self.at_work = threading.Semaphore(0)
        self.spent = Counter[str]()

    def pay(self, customer: str) -> None:
        for _ in range(25):
            post(entries.transfer(ids.new_id(), customer, self.shop, usdc("2"), usdc("0.1")))
        self.at_work.release()

    def spend(self) -> None:
        for _ in range(60):
            amount = Usdc(1_000_000 + secrets.randbelow(20_000_000))
            try:
                post(entries.transfer(ids.new_id(), self.shop, self.supplier, amount, ZERO))
                self.spent["moved"] += amount.micro
            except Invalid:
                self.spent["refused"] += 1
        self.at_work.release()

    def while_they_work(self, chore: Callable[[], object]) -> int:
        rounds = 0
        while self.at_work._value < len(self.customers) + 1:
            chore()
            db.release()
            rounds += 1
        return rounds

    def look(self) -> None:
        assert _total() == 0
        assert available(self.shop).micro >= 0
        assert audit.findings() == []


def test_everybody_pays_one_account_while_it_spends_and_is_folded(open_house: OpenHouse):
    market = Merchant(open_house)
    chores = [lambda: ledger.fold(1000), lambda: ledger.fold(1), market.look]
    works = [
        *(partial(market.pay, customer) for customer in market.customers),
        market.spend,
        *(partial(market.while_they_work, chore) for chore in chores),
    ]

    results = open_house.inside_at_once(works)

    assert _failures(results) == []
    assert all(rounds > 0 for rounds in results[-3:])
    assert available(market.shop).micro == 500_000_000 - market.spent["moved"]
    assert available(market.supplier).micro == market.spent["moved"]
    assert {available(customer) for customer in market.customers} == {usdc("47.5")}
    assert ledger.balance(chart.FEES) == usdc("25")
    assert audit.findings() == []
