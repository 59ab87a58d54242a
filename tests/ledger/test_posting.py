"""Posting: what moves, what a replay answers, and what is refused with nothing changed."""

from contextlib import suppress

import psycopg
import pytest
from flask import Flask

from protonpay.kernel.errors import Invalid
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import chart, entries
from protonpay.ledger import service as ledger
from protonpay.ledger.chart import Opening
from protonpay.ledger.entries import Entry, Posting
from protonpay.ledger.service import ReferenceTaken, UnknownAccount
from protonpay.store import db
from tests.ledger import book
from tests.ledger.book import available, held, new_user, post, usdc
from tests.unchanged import nothing_changes

pytestmark = pytest.mark.usefixtures("house")

_LIFE = {
    "transfer": lambda u, v: entries.transfer("t", u, v, usdc("10"), usdc("0.5")),
    "card_credit": lambda u, _: entries.card_credit("d", "tap", u, usdc("20"), usdc("1")),
    "payout_hold": lambda u, _: entries.payout_hold("p2", u, usdc("7")),
    "payout_settle": lambda u, _: entries.payout_settle("p", u, "Base", usdc("4"), usdc("1")),
    "payout_release": lambda u, _: entries.payout_release("p", u, usdc("5")),
    "capital": lambda _u, _v: entries.capital("c", "Base", usdc("30")),
    "adjustment": lambda u, _: entries.adjustment(
        "a", "equity:capital", entries.chart.available(u), usdc("2")
    ),
    "gift": lambda u, _: entries.gift("g", u, usdc("2")),
}


@pytest.mark.parametrize("kind", _LIFE)
def test_each_kind_moves_its_postings_and_nothing_else(kind: str):
    user, other = new_user("100"), new_user()
    post(entries.payout_hold("p", user, usdc("5")))
    post(entries.capital("before", "Solana", usdc("50")))
    entry = _LIFE[kind](user, other)
    touched = {p.source for p in entry.postings} | {p.destination for p in entry.postings}
    everywhere = [*touched, chart.FEES, chart.CAPITAL, chart.custody("Solana")]
    before = {address: ledger.balance(address) for address in everywhere}

    posted = post(entry)

    expected = dict(before)
    for posting in entry.postings:
        expected[posting.source] -= posting.amount
        expected[posting.destination] += posting.amount
    assert {address: ledger.balance(address) for address in everywhere} == expected
    assert not posted.replayed
    assert posted.balances == tuple(expected[posting.source] for posting in entry.postings)
    assert book.entry_rows(entry.reference) == [
        (kind, position, posting.source, posting.destination, posting.amount.micro)
        for position, posting in enumerate(entry.postings, 1)
    ]


@pytest.mark.parametrize("kind", _LIFE)
def test_a_replay_answers_the_stored_entry_and_moves_nothing(kind: str):
    user, other = new_user("100"), new_user()
    post(entries.payout_hold("p", user, usdc("5")))
    post(entries.capital("before", "Solana", usdc("50")))
    first = post(_LIFE[kind](user, other))
    before = book.whole()

    again = post(_LIFE[kind](user, other))

    assert again.replayed
    assert (again.entry_id, again.balances) == (first.entry_id, first.balances)
    assert book.whole() == before


@pytest.mark.parametrize("order", [1, -1])
def test_an_entry_of_several_sources_is_replayed_as_it_was_written(order: int):
    users, till = [new_user("10") for _ in range(3)], new_user()
    sides = [
        Posting(chart.available(user), chart.available(till), Usdc(micro))
        for micro, user in enumerate(users, 1)
    ]
    entry = Entry("till", "transfer", tuple(sides[::order]))
    first = post(entry)
    again = post(entry)
    assert (again.replayed, again.entry_id) == (True, first.entry_id)
    assert available(till) == Usdc(6)
    with pytest.raises(ReferenceTaken):
        post(Entry("till", "transfer", tuple(sides[::-order])))


def test_a_replay_is_answered_even_when_the_balance_is_spent():
    user, other = new_user("10"), new_user()
    entry = entries.transfer("t", user, other, usdc("10"), ZERO)
    first = post(entry)
    assert post(entry).entry_id == first.entry_id
    assert (available(user), available(other)) == (ZERO, usdc("10"))


def _other_entries(user: str, other: str, third: str) -> dict[str, Entry]:
    stored = entries.transfer("t", user, other, usdc("10"), usdc("1"))
    first, fee = stored.postings
    return {
        "another amount": entries.transfer("t", user, other, usdc("10.000001"), usdc("1")),
        "another fee": entries.transfer("t", user, other, usdc("10"), usdc("2")),
        "no fee": entries.transfer("t", user, other, usdc("10"), ZERO),
        "another sender": entries.transfer("t", third, other, usdc("10"), usdc("1")),
        "another recipient": entries.transfer("t", user, third, usdc("10"), usdc("1")),
        "the other order": Entry("transfer:t", "transfer", (fee, first)),
        "another kind": Entry("transfer:t", "gift", stored.postings),
        "one posting more": Entry("transfer:t", "transfer", (first, fee, fee)),
        "an amount it cannot pay": entries.transfer("t", user, other, usdc("999"), usdc("1")),
    }


@pytest.mark.parametrize("difference", _other_entries("a", "b", "c"))
def test_a_reference_is_taken_once(difference: str):
    user, other, third = new_user("100"), new_user(), new_user("100")
    post(entries.transfer("t", user, other, usdc("10"), usdc("1")))
    before = book.whole()

    with pytest.raises(ReferenceTaken, match="transfer:t"):
        post(_other_entries(user, other, third)[difference])

    assert book.whole() == before


@pytest.mark.parametrize(
    "entry",
    [
        lambda user: entries.transfer("t", user, "nobody", usdc("1"), ZERO),
        lambda user: entries.transfer("t", "nobody", user, usdc("1"), ZERO),
        lambda user: entries.payout_settle("p", user, "Atlantis", usdc("1"), ZERO),
        lambda _user: Entry("empty", "transfer", ()),
    ],
    ids=["recipient", "sender", "network", "no postings at all"],
)
def test_an_account_that_was_never_opened_is_a_bug(entry):
    user = new_user("10")
    before = book.whole()
    with pytest.raises(UnknownAccount):
        post(entry(user))
    assert book.whole() == before


@pytest.mark.parametrize(
    ("amount", "fee"), [("10.000001", "0"), ("10", "0.000001"), ("9000000000000", "0")]
)
@pytest.mark.parametrize("how_funded", ["folded", "appended"])
def test_more_than_there_is_changes_nothing(how_funded: str, amount: str, fee: str):
    user, other = new_user("10"), new_user()
    if how_funded == "folded":
        ledger.fold()
    before = book.whole()

    with pytest.raises(Invalid) as refusal:
        post(entries.transfer("t", user, other, usdc(amount), usdc(fee)))

    assert refusal.value.code == "insufficient_balance"
    assert book.whole() == before
    assert (available(user), available(other)) == (usdc("10"), ZERO)


def test_several_are_posted_in_one_go_each_as_by_itself():
    user, other = new_user("10"), new_user()
    ways = [entries.transfer(name, user, other, usdc("3"), usdc("0.5")) for name in ("a", "b")]
    post(ways[0])

    with db.transaction():
        ledger.post_all([*ways, entries.transfer("c", other, user, usdc("1"), ZERO)])

    assert (available(user), available(other)) == (usdc("4"), usdc("5"))
    assert len(book.entry_rows("transfer:b")) == 2


@pytest.mark.parametrize("how_funded", ["folded", "appended"])
def test_what_several_bring_to_one_account_is_one_row_of_it(how_funded: str):
    users = [new_user("10") for _ in range(3)]
    if how_funded == "folded":
        ledger.fold()
    holds = [entries.payout_hold(f"p{n}", user, usdc("10")) for n, user in enumerate(users)]
    settled = [
        entries.payout_settle(f"p{n}", user, "Base", usdc("9"), usdc("1"))
        for n, user in enumerate(users)
    ]
    with db.transaction():
        ledger.post_all(holds)
    ledger.fold()
    waiting = book.pending(chart.custody("Base"))

    with db.transaction():
        ledger.post_all(settled)

    assert book.pending(chart.custody("Base")) == [*waiting, usdc("27").micro]
    assert [book.entry_rows(each.reference) for each in settled] == [
        [
            ("payout_settle", 1, chart.held(user), chart.custody("Base"), usdc("9").micro),
            ("payout_settle", 2, chart.held(user), chart.FEES, usdc("1").micro),
        ]
        for user in users
    ]


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        (
            lambda u: entries.transfer("w", u, u + "x", usdc("1"), ZERO),
            UnknownAccount,
            "transfer:w",
        ),
        (lambda u: entries.payout_hold("q", u, usdc("3")), ReferenceTaken, "payout:q:hold"),
        (lambda u: entries.payout_hold("p", u, usdc("99")), Invalid, "insufficient_balance"),
    ],
)
def test_of_several_one_that_is_refused_refuses_all(wrong, error: type[Exception], says: str):
    user = new_user("10")
    before = book.whole()
    with pytest.raises(error, match=says), db.transaction():
        ledger.post_all([entries.payout_hold("q", user, usdc("2")), wrong(user)])
    assert book.whole() == before


def test_a_refused_reference_is_free_again():
    user, other = new_user("10"), new_user()
    with pytest.raises(Invalid):
        post(entries.transfer("t", user, other, usdc("11"), ZERO))
    assert not post(entries.transfer("t", user, other, usdc("10"), ZERO)).replayed


def test_the_last_micro_can_be_spent():
    user, other = new_user("10"), new_user()
    posted = post(entries.transfer("t", user, other, usdc("9.999999"), Usdc(1)))
    assert posted.balances == (ZERO, ZERO)


def test_what_an_entry_brings_cannot_be_spent_by_the_same_entry():
    user, other = new_user("10"), new_user()
    ring = Entry(
        "ring",
        "transfer",
        (
            Posting(chart.available(user), chart.available(other), usdc("5")),
            Posting(chart.available(other), chart.available(user), usdc("5")),
        ),
    )
    with pytest.raises(Invalid):
        post(ring)
    assert (available(user), available(other)) == (usdc("10"), ZERO)


def test_outside_accounts_go_below_zero_by_what_came_in():
    before = ledger.balance(chart.clearing("tap"))
    new_user("25")
    assert ledger.balance(chart.clearing("tap")) == before - usdc("25")


@pytest.mark.parametrize("micro", [0, -1])
def test_the_database_itself_refuses_a_posting_that_is_not_above_zero(micro: int):
    user, other = new_user("10"), new_user()
    before = book.whole()
    backwards = Posting(chart.available(user), chart.available(other), Usdc(micro))
    with pytest.raises(psycopg.errors.CheckViolation, match="above_zero"):
        post(Entry("backwards", "transfer", (backwards,)))
    assert book.whole() == before


def test_the_database_itself_refuses_a_posting_from_an_account_to_itself():
    user = new_user("10")
    before = book.whole()
    circle = Posting(chart.available(user), chart.available(user), usdc("1"))
    with pytest.raises(psycopg.errors.CheckViolation, match="two_accounts"):
        post(Entry("circle", "transfer", (circle,)))
    assert book.whole() == before


def test_what_no_account_can_hold_is_not_there_to_take():
    user = new_user("9000000000000")
    with nothing_changes(), pytest.raises(Invalid, match="insufficient_balance"):
        post(
            Entry(
                "twice",
                "transfer",
                (
                    Posting(chart.available(user), chart.FEES, usdc("9000000000000")),
                    Posting(chart.available(user), chart.CAPITAL, usdc("9000000000000")),
                ),
            )
        )
    assert available(user) == usdc("9000000000000")


def test_posting_belongs_to_a_transaction_of_somebody():
    user = new_user("10")
    with pytest.raises(RuntimeError, match="none is open"):
        ledger.post(entries.gift("g", user, usdc("1")))
    with pytest.raises(RuntimeError, match="none is open"):
        ledger.open_accounts(chart.of_user("somebody"))


def test_what_is_rolled_back_was_never_posted():
    user = new_user("10")
    before = book.whole()

    def stumble() -> None:
        with db.transaction():
            ledger.post(entries.payout_hold("p", user, usdc("4")))
            assert (available(user), held(user)) == (usdc("6"), usdc("4"))
            raise LookupError

    with pytest.raises(LookupError):
        stumble()
    assert book.whole() == before


def test_a_refusal_cannot_be_swallowed_and_committed():
    """Postgres takes the COMMIT of a failed transaction, and does nothing."""
    user = new_user("10")
    told = []

    def swallow() -> None:
        with db.transaction():
            ledger.post(entries.payout_hold("p1", user, usdc("4")))
            db.after_commit(lambda: told.append("committed"))
            with suppress(Invalid):
                ledger.post(entries.payout_hold("p2", user, usdc("7")))

    with pytest.raises(RuntimeError, match="nothing to commit"):
        swallow()
    assert (available(user), held(user), told) == (usdc("10"), ZERO, [])


def test_opening_again_leaves_an_account_as_it_is():
    user = new_user("10")
    before = book.whole()
    with db.transaction():
        ledger.open_accounts(chart.of_user(user))
    assert book.whole() == before


def test_a_users_account_is_never_opened_without_a_floor():
    before = book.whole()
    for opening in chart.of_user("reckless"):
        bottomless = [Opening(opening.address, may_go_negative=True)]
        with pytest.raises(psycopg.errors.CheckViolation, match="have_a_floor"), db.transaction():
            ledger.open_accounts(bottomless)
    assert book.whole() == before


def test_the_balance_of_an_account_that_was_never_opened_is_no_number(house: Flask):
    with pytest.raises(UnknownAccount, match="user:nobody:available"):
        available("nobody")
