"""Search: one's own things by whatever a person has of them, found by indexes alone."""

from typing import Any

import pytest
from flask import Flask

from protonpay.kernel import ids
from protonpay.request_log import recording
from protonpay.store import db
from tests.actors import Actor, make_actor
from tests.api_keys.keys import make_key
from tests.overview.test_lists import (
    _LONG_DEPOSITS,
    _LONG_PAYOUTS,
    _LONG_TRANSFERS,
    LONG,
    NOON,
    payout,
    transfer,
)
from tests.payouts.orders import WALLETS, withdraw
from tests.portal.client.reader import sign_in
from tests.refusals import refused
from tests.statements.history import as_owner
from tests.teams.people import invite, join, link_to, verify
from tests.webhooks.test_delivery import happen

HASH = "0x" + "ab12" * 16
SENDER = "0x52908400098527886E0F7030069857D2E4169EE7"
_ON_CHAIN = """
    INSERT INTO deposits (id, user_id, method, currency, network, tx_hash, sender, incoming_id,
        amount_micro, commission_micro, state, created_at)
    VALUES (%(id)s, %(user)s, 'CRYPTO', 'USDC', 'Base', %(hash)s, %(sender)s, %(incoming)s,
        7000000, 0, 'CONFIRMED', %(at)s)
"""
_INCOMING = """
    INSERT INTO incoming (id, network, address, holder_kind, holder_id, amount_micro, tx_hash,
        ordinal, sender, block, state, seen_at)
    VALUES (%(incoming)s, 'Base', '0x', 'user', %(user)s, 7000000, %(hash)s, 0, %(sender)s, 1,
        'FINAL', %(at)s)
"""

OWN = "0x8617E340B3D01FA5F11F306F4090FD50E238070D"
_PLACE = """
    INSERT INTO deposit_addresses (family, number, address, proof, made_at, holder_kind, holder_id,
        claimed_at)
    VALUES ('evm', 77, %(address)s, '', %(at)s, 'user', %(holder)s, %(at)s)
"""


def hits(actor: Actor, q: str, **more: Any) -> list[dict[str, Any]]:
    answer = actor.get("/client/search", query_string={"q": q}, **more)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: list[dict[str, Any]] = answer.get_json()["hits"]
    return found


def named(actor: Actor, q: str, **more: Any) -> list[tuple[str, str]]:
    return [(hit["kind"], hit["id"]) for hit in hits(actor, q, **more)]


def from_chain(of: Actor, tx_hash: str = HASH) -> str:
    asked = {"id": ids.new_id(), "incoming": ids.new_id(), "user": of.id, "at": NOON}
    asked |= {"hash": tx_hash, "sender": SENDER}
    with db.transaction():
        db.execute(_INCOMING, asked)
        db.execute(_ON_CHAIN, asked)
    return asked["id"]


@pytest.fixture
def owned(alice: Actor, bob: Actor) -> dict[str, str]:
    """One thing of each kind; its id by its kind."""
    hook = {"url": "https://example.com/hook", "events": ["transfer.completed"]}
    booked = {"label": "Cold", "address": WALLETS["Base"], "network": "Base"}
    invoice = {"amount": 33, "currency": "USDC", "description": "A cup"}
    made = {
        "PAYOUT": payout(alice),
        "DEPOSIT": from_chain(alice),
        "TRANSFER": transfer(alice, bob),
        "INVOICE": alice.post("/client/invoices", invoice).get_json()["invoice"]["id"],
        "WEBHOOK": alice.post("/client/webhooks", hook).get_json()["webhook"]["id"],
        "API_KEY": make_key(alice).id,
        "ADDRESS": next(iter(alice.post("/client/addresses", booked).get_json().values()))["id"],
    }
    happen(alice)
    made["EVENT"] = alice.get("/client/events").get_json()["events"][-1]["id"]
    make_key(alice).get("/client/fees")
    recording.collect(10)
    made["REQUEST"] = alice.get("/client/requests").get_json()["requests"][0]["id"]
    return made


def test_everything_is_found_by_its_id_and_by_how_that_begins(
    alice: Actor, bob: Actor, mallory: Actor, owned: dict[str, str]
):
    for kind, thing in owned.items():
        (hit,) = [one for one in hits(alice, thing) if one["exact"]]
        assert (hit["kind"], hit["id"]) == (kind, thing)
        beginning = thing[:-3]
        assert (kind, thing) in named(alice, beginning)
        assert not any(one["exact"] for one in hits(alice, beginning))
        assert hits(mallory, thing) == hits(mallory, beginning) == [], "of others nothing"
    assert named(bob, owned["TRANSFER"]) == [("TRANSFER", owned["TRANSFER"])], "it has two sides"


def test_each_hit_leads_to_its_page(alice: Actor, owned: dict[str, str], house: Flask):
    reader = sign_in(house, alice)
    for thing in owned.values():
        (hit,) = [one for one in hits(alice, thing) if one["exact"]]
        reader.open(hit["link"])
        assert reader.status == 200, hit


def test_by_what_is_written_on_a_chain(alice: Actor, mallory: Actor, owned: dict[str, str]):
    came = ("DEPOSIT", owned["DEPOSIT"])
    for text in (HASH, HASH.upper().replace("0X", "0x"), HASH[:10], SENDER, SENDER.lower()):
        assert named(alice, text) == [came], text
        assert hits(mallory, text) == []
    assert [hit["exact"] for hit in hits(alice, HASH)] == [True]
    assert [hit["exact"] for hit in hits(alice, HASH[:10])] == [False]
    assert ("ADDRESS", owned["ADDRESS"]) in named(alice, WALLETS["Base"])
    withdraw(alice, 50)
    kinds = {hit["kind"]: hit for hit in hits(alice, WALLETS["Base"].lower())}
    assert kinds["PAYOUT"]["amount"] == "50.00"
    place = {"address": OWN, "holder": alice.id, "at": NOON}
    as_owner(_PLACE, **place)
    for text in (OWN, OWN.lower()):
        assert named(alice, text) == [("ADDRESS", OWN)]
        assert hits(mallory, text) == []


def test_by_people_and_not_by_more_than_one_may_know_of_them(alice: Actor, bob: Actor):
    alice.post("/client/transfer", {"toIdentifier": bob.email, "amount": 2})
    bob.post("/client/transfer", {"toIdentifier": alice.public_id, "amount": 1})
    for text in (bob.email, bob.email.upper(), bob.email[:6]):
        assert [hit["amount"] for hit in hits(alice, text)] == ["2.00"], text
    for text in (bob.public_id, bob.public_id.lower()):
        assert [hit["amount"] for hit in hits(alice, text)] == ["1.00"], text
    sums = [hit["amount"] for hit in hits(bob, alice.public_id)]
    assert sorted(sums) == ["1.00", "2.00"], "what he sent there, and what came from there"
    assert hits(bob, alice.email) == [], "who was paid does not learn an address"


def test_by_amount(alice: Actor, bob: Actor, owned: dict[str, str]):
    for text in ("33", "33.0", "33.000000"):
        assert named(alice, text) == [("INVOICE", owned["INVOICE"])]
    for number in range(7):
        alice.post("/client/transfer", {"toIdentifier": bob.email, "amount": f"12.{number}"})
    assert [hit["amount"] for hit in hits(alice, "12.5")] == ["12.50"]
    assert [hit["amount"] for hit in hits(bob, "12.5")] == ["12.50"]
    assert hits(alice, "12.500001") == []
    assert {hit["kind"] for hit in hits(alice, "1")} == {"TRANSFER", "PAYOUT"}


def test_by_a_request_and_by_a_key(alice: Actor, mallory: Actor):
    key = make_key(alice)
    answer = key.client.get(
        "/api/client/fees",
        headers={"Authorization": f"Bearer {key.raw}", "X-Request-Id": "order-0042"},
    )
    assert answer.status_code == 200
    recording.collect(10)
    (hit,) = [one for one in hits(alice, "order-0042") if one["kind"] == "REQUEST"]
    assert hit["title"] == "GET /api/client/fees"
    assert hits(mallory, "order-0042") == []
    for text in (key.raw, key.raw[:12]):
        assert named(alice, text) == [("API_KEY", key.id)]
    assert ("API_KEY", key.id) in named(alice, "sk_live_")
    assert hits(mallory, key.raw) == []


def test_of_a_kind_there_are_five_the_newest(alice: Actor, bob: Actor):
    made = [transfer(alice, bob, NOON) for _ in range(7)]
    assert [thing for _, thing in named(alice, "1")] == sorted(made, reverse=True)[:5]


def test_a_member_finds_what_their_role_may_see(alice: Actor, bob: Actor, owned: dict[str, str]):
    verify(alice, bob)
    invite(alice, bob.email, "viewer")
    assert join(bob, link_to(bob.email)).status_code == 200
    acting = {"headers": {"X-Account": alice.public_id}}
    for kind, thing in owned.items():
        seen = [hit for hit in named(bob, thing, **acting) if hit == (kind, thing)]
        assert bool(seen) == (kind not in {"WEBHOOK", "API_KEY", "REQUEST"}), kind


@pytest.mark.parametrize(
    "text", ["abc", "two words", "ёлка", "x" * 129, "a\nbcd", "…", "0", "-5", "\u202eabcd", "PP-"]
)
def test_what_is_nothing_of_these_is_refused(alice: Actor, text: str):
    answer = alice.get("/client/search", query_string={"q": text})
    refused(answer, 400, "validation_error" if len(text) > 128 else "invalid_search")


def test_a_search_without_a_text_is_refused(alice: Actor):
    for query in ("", "?q=", "?q=%00abcd", "?q=abcd&q=abcd", "?q=abcd&user=x"):
        refused(alice.get(f"/client/search{query}"), 400, "validation_error")


def test_no_key_searches(alice: Actor):
    refused(make_key(alice).get("/client/search?q=12.5"), 403, "insufficient_scope")


_READ = """
    SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))
    FROM pg_stat_xact_user_tables
    WHERE relname IN ('deposits', 'payouts', 'transfers', 'invoices', 'invoice_payments',
        'invoice_refunds') OR relname ~ '^(events|request_log)'
"""


def test_a_search_reads_what_it_finds_and_nothing_else(alice: Actor, bob: Actor, house: Flask):
    """However long the history: each form of text has its index, and no table is read through."""
    other = make_actor(house, "Other")
    with db.transaction():
        for insert in (_LONG_DEPOSITS, _LONG_PAYOUTS, _LONG_TRANSFERS):
            db.execute(insert, {"user": alice.id, "other": bob.id, "count": LONG})
        as_owner("ANALYZE deposits")
        as_owner("ANALYZE payouts")
        as_owner("ANALYZE transfers")
    from_chain(alice)
    for text in (
        *(HASH, HASH[:12], SENDER, ids.new_id(), "cpayouts77", "req_cabcdefgh", "evt_cabcdefgh"),
        *("12.5", "0.000001", "user@example.com", "nobody", other.public_id, bob.public_id),
        *(WALLETS["Base"], WALLETS["Solana"], WALLETS["Base"][:8], "sk_live_abcd"),
    ):
        before = int(db.execute(_READ, {}).fetchone()[0])
        hits(alice, text)
        read = int(db.execute(_READ, {}).fetchone()[0]) - before
        assert read <= 150, (text, read)
