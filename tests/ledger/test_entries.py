"""Every way money can move, as the postings it is made of."""

import inspect

import pytest

from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import chart, entries
from protonpay.ledger.chart import Opening
from protonpay.ledger.entries import Entry, Posting, Refund

ALICE, BOB = "user:alice:available", "user:bob:available"
HELD, DEBT = "user:alice:held", "user:alice:debt"
FEES, CAPITAL = "revenue:fees", "equity:capital"

KINDS = {
    "transfer": (
        entries.transfer("t1", "alice", "bob", Usdc(100), Usdc(1)),
        "transfer:t1",
        [(ALICE, BOB, 100), (ALICE, FEES, 1)],
    ),
    "card_credit": (
        entries.card_credit("d1", "tap", "alice", Usdc(97), Usdc(3)),
        "deposit:d1:credit",
        [("clearing:tap", ALICE, 97), ("clearing:tap", FEES, 3)],
    ),
    "chain_credit": (
        entries.chain_credit("i1", "Base", "alice", Usdc(97), Usdc(3)),
        "incoming:i1:credit",
        [("custody:Base", ALICE, 97), ("custody:Base", FEES, 3)],
    ),
    "inside_credit": (
        entries.inside_credit("i1", "Base", "alice", Usdc(97), Usdc(3)),
        "incoming:i1:credit",
        [("transit:inside", ALICE, 97), ("transit:inside", FEES, 3)],
    ),
    "chain_suspend": (
        entries.chain_suspend("i1", "Base", Usdc(100)),
        "incoming:i1:credit",
        [("custody:Base", "suspense:Base", 100)],
    ),
    "suspense_release": (
        entries.suspense_release("i1", "Base", "alice", Usdc(97), Usdc(3)),
        "incoming:i1:release",
        [("suspense:Base", ALICE, 97), ("suspense:Base", FEES, 3)],
    ),
    "invoice_payment": (
        entries.invoice_payment("p1", "alice", "bob", Usdc(50)),
        "invoice_payment:p1",
        [(ALICE, BOB, 50)],
    ),
    "invoice_refund": (
        entries.invoice_refund("r1", "bob", "alice", Usdc(20)),
        "invoice_refund:r1",
        [(BOB, ALICE, 20)],
    ),
    "card_refund": (
        entries.card_refund("d1", "tap", "alice", Refund(Usdc(97), Usdc(3), 100), there=Usdc(90)),
        "deposit:d1:refund:100",
        [(ALICE, "clearing:tap", 90), (DEBT, "clearing:tap", 7), (FEES, "clearing:tap", 3)],
    ),
    "payout_hold": (
        entries.payout_hold("p1", "alice", Usdc(51)),
        "payout:p1:hold",
        [(ALICE, HELD, 51)],
    ),
    "payout_settle": (
        entries.payout_settle("p1", "alice", "Base", Usdc(50), Usdc(1)),
        "payout:p1:settle",
        [(HELD, "custody:Base", 50), (HELD, FEES, 1)],
    ),
    "payout_settle_inside": (
        entries.payout_settle_inside("p1", "alice", Usdc(50), Usdc(1)),
        "payout:p1:settle",
        [(HELD, "transit:inside", 50), (HELD, FEES, 1)],
    ),
    "payout_release": (
        entries.payout_release("p1", "alice", Usdc(51)),
        "payout:p1:release",
        [(HELD, ALICE, 51)],
    ),
    "capital": (
        entries.capital("0xabc", "Polygon", Usdc(500)),
        "capital:0xabc",
        [("custody:Polygon", CAPITAL, 500)],
    ),
    "adjustment": (
        entries.adjustment("a1", CAPITAL, ALICE, Usdc(5)),
        "adjustment:a1",
        [(CAPITAL, ALICE, 5)],
    ),
    "gift": (entries.gift("welcome", "alice", Usdc(5)), "gift:welcome", [(CAPITAL, ALICE, 5)]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_is_its_postings_under_one_reference(kind: str):
    entry, reference, postings = KINDS[kind]
    assert (entry.kind, entry.reference) == (kind, reference)
    assert entry.postings == tuple(Posting(s, d, Usdc(micro)) for s, d, micro in postings)


def test_every_kind_of_entry_is_described_above():
    made = {
        name
        for name, function in inspect.getmembers(entries, inspect.isfunction)
        if not name.startswith("_") and function.__annotations__.get("return") is Entry
    }
    assert made == set(KINDS)


@pytest.mark.parametrize(
    "entry",
    [
        entries.transfer("t1", "alice", "bob", Usdc(100), ZERO),
        entries.card_credit("d1", "tap", "alice", Usdc(100), ZERO),
        entries.chain_credit("i1", "Base", "alice", Usdc(100), ZERO),
        entries.payout_settle("p1", "alice", "Base", Usdc(100), ZERO),
    ],
    ids=lambda entry: entry.kind,
)
def test_a_fee_of_zero_is_no_posting(entry: Entry):
    assert [posting.amount for posting in entry.postings] == [Usdc(100)]


def test_what_is_sent_back_is_held_from_and_released_to_where_it_was():
    source = chart.suspense("Base")
    assert entries.payout_hold("p1", "alice", Usdc(5), source=source).postings == (
        Posting(source, HELD, Usdc(5)),
    )
    assert entries.payout_release("p1", "alice", Usdc(5), source=source).postings == (
        Posting(HELD, source, Usdc(5)),
    )


def test_only_accounts_toward_the_outside_may_go_below_zero():
    house = chart.of_house(["Solana", "Base"], ["tap"])
    assert house == [
        Opening(FEES),
        Opening(CAPITAL),
        Opening("transit:inside"),
        Opening("suspense:Solana"),
        Opening("suspense:Base"),
        Opening("custody:Solana", may_go_negative=True),
        Opening("custody:Base", may_go_negative=True),
        Opening("clearing:tap", may_go_negative=True),
    ]
    assert chart.of_user("alice") == [Opening(ALICE), Opening(HELD)]
    assert chart.of_debtor("alice") == [Opening(DEBT, may_go_negative=True)]
