"""A head is of one position, is published once, and stays; each user proves their own part."""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select

from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import chart, entries, seals
from protonpay.ledger import service as ledger
from protonpay.proofs import queries, reserves, service
from protonpay.proofs.models import Head, Leaf, NodePart
from protonpay.store import db
from protonpay.store.db import transaction
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse
from tests.proofs.conftest import Told, proof_of
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

NOON = datetime(2026, 3, 14, 12, 0, 5, 123456, tzinfo=UTC)


def _publish() -> int:
    number = service.take()
    reserves.read()
    assert service.publish() == [number]
    return number


def test_a_head_says_what_everybody_has(networks: Mapping[str, Told], alice: Actor, bob: Actor):
    with transaction():
        ledger.post(entries.payout_hold("p1", alice.id, Usdc.parse("400.5")))
        ledger.post(entries.transfer("t1", alice.id, bob.id, Usdc.parse("10"), Usdc.parse("0.25")))
    with clock.frozen(NOON):
        number = _publish()
    proof = proof_of(alice)
    head = proof["head"]
    assert (proof["balance"], proof_of(bob)["balance"]) == ("989.75", "10.00")
    assert (head["number"], head["day"]) == (number, "2026-03-13")
    assert head["takenAt"] == "2026-03-14T12:00:05Z"
    assert (head["totalLiabilities"], head["totalDebts"], head["leaves"]) == ("999.75", "0.00", 2)
    assert head["chainHash"] == seals.hash_at(head["position"]).hex()
    assert head["previousHash"] == "00" * 32
    assert head["reserves"] == [
        {
            "network": name,
            "addresses": 1,
            "addressesUnknown": 0,
            "firstBlock": 100,
            "lastBlock": 100,
            "amount": "1000.00",
        }
        for name in ("Base", "Polygon", "Solana")
    ]


def test_what_follows_a_head_is_not_in_it_and_the_next_names_it(
    networks: Mapping[str, Told], alice: Actor, bob: Actor
):
    _publish()
    first = proof_of(alice)
    with transaction():
        ledger.post(entries.transfer("t1", alice.id, bob.id, Usdc.parse("10"), ZERO))
    assert proof_of(alice) == first
    _publish()
    second = proof_of(alice)
    assert second["head"]["previousHash"] == first["head"]["hash"]
    assert second["head"]["position"] == first["head"]["position"] + 1
    assert (first["balance"], second["balance"]) == ("1000.00", "990.00")
    assert first["salt"] != second["salt"] != proof_of(bob)["salt"]


def test_a_debt_is_no_negative_liability(networks: Mapping[str, Told], alice: Actor, bob: Actor):
    refund = entries.Refund(Usdc.parse("7"), ZERO, 7)
    with transaction():
        ledger.post(entries.card_credit("d1", "tap", bob.id, Usdc.parse("7"), ZERO))
        ledger.post(entries.payout_hold("p1", bob.id, Usdc.parse("7")))
        ledger.open_accounts(chart.of_debtor(bob.id))
        ledger.post(entries.card_refund("d1", "tap", bob.id, refund, there=ZERO))
    _publish()
    proof = proof_of(bob)
    assert proof["balance"] == "7.00"
    assert proof["head"]["totalLiabilities"] == "1007.00"
    assert proof["head"]["totalDebts"] == "7.00"


def test_before_the_first_head_there_is_nothing_to_prove(alice: Actor):
    with nothing_changes():
        refused(alice.get("/client/ledger/proof"), 404, "no_head_yet")
    service.take()
    refused(alice.get("/client/ledger/proof"), 404, "no_head_yet")


def test_who_came_later_is_in_the_next(house: Flask, networks: Mapping[str, Told], alice: Actor):
    _publish()
    carol = make_actor(house, "Carol")
    refused(carol.get("/client/ledger/proof"), 404, "not_in_head")
    _publish()
    assert proof_of(carol)["balance"] == "0.00"


def test_russian_is_spoken(alice: Actor):
    answer = alice.get("/client/ledger/proof", headers={"Accept-Language": "ru"})
    assert answer.get_json()["message"] == "Доказательство обязательств ещё не опубликовано."


def test_one_head_a_day_comes_by_itself(networks: Mapping[str, Told], alice: Actor):
    with clock.frozen(NOON):
        first = service.take_daily()
        assert first is not None
        assert service.take_daily() is None
        by_hand = service.take()
    with clock.frozen(NOON.replace(hour=23, minute=59)):
        assert service.take_daily() is None
    with clock.frozen(NOON + timedelta(hours=12)):
        second = service.take_daily()
    days = db.db.session.execute(select(Head.number, Head.day, Head.daily).order_by(Head.number))
    assert [(number, str(day), daily) for number, day, daily in days] == [
        (first, "2026-03-13", True),
        (by_hand, "2026-03-13", False),
        (second, "2026-03-14", True),
    ]


def test_of_many_who_take_the_daily_head_one_does(
    open_house: OpenHouse, networks: Mapping[str, Told]
):
    ended = open_house.inside_at_once([service.take_daily] * 6)
    taken = [one for one in ended if isinstance(one, int)]
    assert taken == [1]
    refusals = [one for one in ended if one is not None and not isinstance(one, int)]
    assert all(getattr(one, "code", "") in ("head_taken", "sealing_busy") for one in refusals)


def test_while_money_moves_every_head_adds_up(open_house: OpenHouse, networks: Mapping[str, Told]):
    users = [make_actor(open_house.app, f"User{number}", funded="100") for number in range(4)]
    done = threading.Event()

    def pay(place: int) -> None:
        number = 0
        while not done.is_set():
            number += 1
            sender, recipient = users[place], users[(place + number) % 4]
            if sender is not recipient:
                entry = entries.transfer(
                    f"{place}n{number}", sender.id, recipient.id, Usdc(1), ZERO
                )
                with transaction():
                    ledger.post(entry)
                db.release()

    def take() -> None:
        try:
            for _ in range(5):
                service.take()
                db.release()
        finally:
            done.set()

    works = [*(lambda place=place: pay(place) for place in range(4)), take]
    assert open_house.inside_at_once(works) == [None] * 5
    heads = db.db.session.scalars(select(Head).order_by(Head.number)).all()
    assert [head.total_micro for head in heads] == [Usdc.parse("400")] * 5
    for head in heads:
        assert _replayed(head.position) == _in_tree(head.number)


def _replayed(position: int) -> dict[str, int]:
    """Balances by the postings up to a position, from the beginning."""
    query = """
        SELECT split_part(a.address, ':', 2), sum(m.micro)::bigint FROM (
            SELECT p.destination AS account, p.micro, s.position FROM postings p
            JOIN ledger_seals s USING (entry_id)
            UNION ALL SELECT p.source, -p.micro, s.position FROM postings p
            JOIN ledger_seals s USING (entry_id)) AS m
        JOIN ledger_accounts a ON a.id = m.account
        WHERE m.position <= %(position)s AND a.address LIKE 'user:%%' GROUP BY 1
    """
    return dict(db.execute(query, {"position": position}).fetchall())


def _in_tree(number: int) -> dict[str, int]:
    rows = db.db.session.execute(select(Leaf.user_id, Leaf.balance_micro).filter_by(head=number))
    return {user: balance.micro for user, balance in rows}


def test_a_head_older_than_the_newest_is_not_kept(alice: Actor, monkeypatch: pytest.MonkeyPatch):
    before = seals.cut()
    service.take()
    monkeypatch.setattr(seals, "cut", lambda: before)
    with only_changes("ledger_seal_mark"), pytest.raises(Conflict) as refusal:
        service.take()
    assert refusal.value.code == "head_taken"


def test_a_book_with_somebody_below_zero_is_not_published(
    alice: Actor, monkeypatch: pytest.MonkeyPatch
):
    seals.seal_all()
    wrong = seals.Cut(1, bytes(32), {alice.id: Usdc(-1)}, ZERO)
    monkeypatch.setattr(seals, "cut", lambda: wrong)
    with only_changes("ledger_seal_mark"), pytest.raises(ValueError, match=alice.id):
        service.take()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE proof_heads SET hash = sha256('')",
        "UPDATE proof_heads SET published_at = now()",
        "UPDATE proof_reserves SET amount_micro = 5, block = 1",
    ],
)
def test_what_is_published_stays(networks: Mapping[str, Told], alice: Actor, statement: str):
    _publish()
    with nothing_changes(), pytest.raises(psycopg.errors.RaiseException), transaction():
        db.execute(statement, {})


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE proof_heads SET total_micro = 0",
        "UPDATE proof_leaves SET balance_micro = 0",
        "UPDATE proof_nodes SET nodes = ''",
        "DELETE FROM proof_heads",
        "DELETE FROM proof_reserves",
    ],
)
def test_the_program_may_not_rewrite_a_head(alice: Actor, statement: str):
    service.take()
    with nothing_changes(), pytest.raises(psycopg.errors.InsufficientPrivilege), transaction():
        db.execute(statement, {})


def test_a_head_that_was_altered_is_shown_to_nobody(
    open_house: OpenHouse, networks: Mapping[str, Told]
):
    dora = make_actor(open_house.app, "Dora", funded="5")
    _publish()
    with open_house.superuser() as above:
        above.execute("SET session_replication_role = replica")
        above.execute("UPDATE proof_heads SET total_micro = 1")
    assert dora.get("/client/ledger/proof").status_code == 500
    db.db.session.expire_all()
    with pytest.raises(RuntimeError, match="not what was published"):
        queries.facts(queries.newest())


def test_old_trees_are_forgotten_and_their_heads_stay(
    networks: Mapping[str, Told], alice: Actor, bob: Actor
):
    numbers = [_publish() for _ in range(5)]
    while service.forget():
        pass
    kept = set(db.db.session.scalars(select(Leaf.head)))
    assert kept == set(db.db.session.scalars(select(NodePart.head))) == set(numbers[-3:])
    assert set(db.db.session.scalars(select(Head.number))) == set(numbers)
    assert proof_of(alice)["head"]["number"] == numbers[-1]


def test_a_tree_of_many_parts(
    networks: Mapping[str, Told], alice: Actor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(service, "NODES_IN_PART", 2)
    siblings = queries._SIBLINGS.replace(str(4096), "2")
    monkeypatch.setattr(queries, "_SIBLINGS", siblings)
    with transaction():
        for number in range(10):
            ledger.open_accounts(chart.of_user(f"c{number:024}"))
    _publish()
    proof = queries.prove(alice.id)
    assert len(proof.path) == 4
    assert sum((step.sum.micro for step in proof.path), proof.balance.micro) == 1_000_000_000
