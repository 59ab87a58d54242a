"""The history by what a person remembers of a movement: a sum, a word, an address."""

from typing import Any

import pytest
from flask import Flask

from protonpay.store import db
from tests.actors import Actor, make_actor
from tests.overview.test_lists import everything
from tests.payouts.orders import WALLETS, withdraw
from tests.refusals import refused


@pytest.fixture
def carol(house: Flask) -> Actor:
    return make_actor(house, "Carol", funded="1000")


def lines(actor: Actor, **query: str) -> list[dict[str, Any]]:
    answer = actor.get("/client/activity", query_string=query)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: list[dict[str, Any]] = answer.get_json()["activity"]
    return found


def send(of: Actor, to: Actor, amount: str, note: str | None = None) -> str:
    body = {"toIdentifier": to.email, "amount": amount, "note": note}
    answer = of.post("/client/transfer", {k: v for k, v in body.items() if v is not None})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return str(answer.get_json()["transfer"]["id"])


def test_by_amount_to_the_micro_unit(carol: Actor, bob: Actor):
    made = {
        amount: send(carol, bob, amount) for amount in ("1", "12.5", "12.500001", "300", "0.01")
    }

    assert everything(carol, "activity", minAmount="12.5", maxAmount="12.5") == [made["12.5"]]
    assert everything(carol, "activity", minAmount="12.500001", limit=1) == [
        made["300"],
        made["12.500001"],
    ]
    assert everything(carol, "activity", maxAmount="1") == [made["0.01"], made["1"]]
    assert everything(carol, "activity", minAmount="301") == []


def test_a_deposits_amount_is_what_was_credited(carol: Actor, house: Flask):
    sql = """
        INSERT INTO deposits (id, user_id, method, provider, currency, fiat_minor, rate_scaled,
            rate_source, rated_at, amount_micro, commission_micro, state, created_at)
        VALUES ('cdeposit001', %(user)s, 'CARD', 'tap', 'USD', 1, 1, 'test', now(),
            100000000, 2500000, 'CONFIRMED', now())
    """
    with db.transaction():
        db.execute(sql, {"user": carol.id})

    for amount in ("97.5", "97.50"):
        (line,) = lines(carol, minAmount=amount, maxAmount=amount)
        assert (line["amount"], line["fee"]) == ("97.50", "2.50")
    assert lines(carol, minAmount="100", maxAmount="100") == []


def test_by_text_of_each_kind(carol: Actor, bob: Actor):
    sent = send(carol, bob, "25", "Оплата за Ёлку, ORDER-7")
    got = send(bob, carol, "3", "Сдача")
    withdraw(carol, 50)
    (payout,) = lines(carol, type="WITHDRAWAL")

    for words in (sent, sent[5:15], bob.email.upper(), "order-7", "ЕЛКУ", "елку", "за ёл"):
        assert [line["id"] for line in lines(carol, q=words)] == [sent], words
    assert [line["id"] for line in lines(carol, q="сдача")] == [got]
    assert [line["id"] for line in lines(carol, q=bob.public_id.lower())] == [got]
    for words in (WALLETS["Base"], WALLETS["Base"][:12].lower(), payout["id"]):
        assert [line["id"] for line in lines(carol, q=words)] == [payout["id"]], words
    assert [line["id"] for line in lines(bob, q="order-7")] == [sent], "both sides read the note"
    typed = [line["id"] for line in lines(bob, q=carol.email)]
    assert typed == [got], "the address that he typed, and not whose transfer he got"
    for words in ("%%", "__", "o_der", "order-8", "' OR 1=1 --"):
        assert lines(carol, q=words) == [], words


def test_by_network_and_all_at_once(carol: Actor, bob: Actor):
    withdraw(carol, 50)
    send(carol, bob, "50")

    (line,) = lines(carol, network="Base")
    assert line["type"] == "WITHDRAWAL"
    assert lines(carol, network="Solana") == []
    everything_at_once = {
        "type": "WITHDRAWAL",
        "status": "PENDING",
        "network": "Base",
        "q": WALLETS["Base"],
        "minAmount": "50",
        "maxAmount": "50",
        "from": "2020-01-01T00:00:00Z",
    }
    assert lines(carol, **everything_at_once) == [line]
    for name, other in (("status", "COMPLETED"), ("minAmount", "50.000001"), ("q", "nothing")):
        odd = everything_at_once | {name: other} | ({"maxAmount": "60"} if "min" in name else {})
        assert lines(carol, **odd) == [], name


def test_a_cursor_is_of_its_text_and_its_amounts(carol: Actor, bob: Actor):
    for _ in range(2):
        send(carol, bob, "1", "rent")
    cursor = carol.get("/client/activity?limit=1&q=rent").get_json()["nextCursor"]
    for query in ({"q": "rents"}, {}, {"q": "rent", "minAmount": "1"}):
        asked = {**query, "cursor": cursor}
        refused(carol.get("/client/activity", query_string=asked), 400, "invalid_cursor")
    assert len(lines(carol, q="rent", cursor=cursor)) == 1


@pytest.mark.parametrize(
    "query",
    [
        {"minAmount": "0"},
        {"minAmount": "-1"},
        {"minAmount": "1e3"},
        {"minAmount": "1,5"},
        {"maxAmount": "0.0000001"},
        {"maxAmount": "99999999999999"},
        {"maxAmount": ""},
        {"maxAmount": "1", "minAmount": "2"},
        {"q": ""},
        {"q": "x"},
        {"q": " rent"},
        {"q": "rent "},
        {"q": "a\nb"},
        {"q": "a\0b"},
        {"q": "x" * 101},
        {"network": ""},
        {"network": "n" * 33},
    ],
)
def test_what_is_no_amount_and_no_text_is_refused(carol: Actor, query: dict[str, str]):
    answer = carol.get("/client/activity", query_string=query)
    body = refused(answer, 400, "validation_error")
    assert list(body["errors"]["query"]) == [next(iter(query))]


def test_a_network_that_is_not_is_refused(carol: Actor):
    refused(carol.get("/client/activity?network=Dogecoin"), 400, "unsupported_network")
