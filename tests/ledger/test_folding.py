"""Credits are appended and folded later; a balance is both together."""

import pytest

from protonpay.kernel.errors import Invalid
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import audit, chart, entries
from protonpay.ledger import service as ledger
from protonpay.store import db
from tests.committed import OpenHouse
from tests.ledger import book
from tests.ledger.book import available, new_user, post, usdc


@pytest.mark.usefixtures("house")
class TestOneByOne:
    def test_a_credit_is_appended_and_counts_at_once(self):
        user = new_user("10")
        assert (book.folded(chart.available(user)), available(user)) == (0, usdc("10"))
        assert book.pending(chart.available(user)) == [10_000_000]

    def test_folding_moves_nothing_but_the_place(self):
        users = [new_user("10") for _ in range(3)]
        balances = {row[1]: ledger.balance(row[1]) for row in book.whole()["ledger_accounts"]}

        assert ledger.fold() == len({*users}) + 1  # and what the card provider owes

        after = book.whole()
        assert after["ledger_pending"] == []
        assert {row[1]: ledger.balance(row[1]) for row in after["ledger_accounts"]} == balances
        assert book.folded(chart.available(users[0])) == 10_000_000
        assert book.folded(chart.clearing("tap")) == -30_000_000

    def test_there_is_nothing_to_fold_twice(self):
        new_user("10")
        ledger.fold()
        before = book.whole()
        assert ledger.fold() == 0
        assert book.whole() == before

    def test_a_fold_takes_the_longest_waiting_accounts_first(self):
        first, second = new_user(), new_user()
        post(entries.card_credit("1", "tap", second, usdc("1"), ZERO))
        post(entries.card_credit("2", "tap", first, usdc("1"), ZERO))
        assert ledger.fold(accounts=2) == 2
        assert book.pending(chart.available(second)) == []
        assert book.pending(chart.available(first)) == [1_000_000]

    def test_a_debit_folds_what_its_own_account_was_given(self):
        user, other = new_user("10"), new_user("10")
        post(entries.transfer("t", user, other, usdc("4"), ZERO))
        assert book.folded(chart.available(user)) == 6_000_000
        assert book.pending(chart.available(user)) == []
        assert book.pending(chart.available(other)) == [10_000_000, 4_000_000]

    def test_a_debit_that_is_covered_leaves_what_was_appended(self):
        user, other = new_user("10"), new_user()
        ledger.fold()
        post(entries.card_credit("more", "tap", user, usdc("5"), ZERO))
        post(entries.transfer("t", user, other, usdc("4"), ZERO))
        assert book.folded(chart.available(user)) == 6_000_000
        assert book.pending(chart.available(user)) == [5_000_000]
        assert available(user) == usdc("11")

    def test_a_refused_debit_folds_nothing(self):
        user, other = new_user("10"), new_user()
        before = book.whole()
        with pytest.raises(Invalid):
            post(entries.transfer("t", user, other, usdc("11"), ZERO))
        assert book.whole() == before

    def test_debits_of_an_account_without_a_floor_are_appended_too(self):
        before = book.pending(chart.clearing("tap"))
        new_user("10")
        assert book.pending(chart.clearing("tap")) == [*before, -10_000_000]


def _append(house: OpenHouse, user: str, rows: int) -> None:
    """Plant credits that nobody folded for a long time, and where they came from."""
    with house.superuser() as connection:
        connection.execute(
            """
            WITH entry AS (
                INSERT INTO journal_entries (reference, kind) VALUES ('flood', 'gift')
                RETURNING id),
            sides AS (
                SELECT (SELECT id FROM ledger_accounts WHERE address = 'clearing:tap') AS source,
                       (SELECT id FROM ledger_accounts WHERE address = %(to)s) AS destination),
            posted AS (
                INSERT INTO postings (entry_id, position, source, destination, micro)
                SELECT entry.id, 1, source, destination, %(rows)s FROM entry, sides)
            INSERT INTO ledger_pending (account_id, micro)
            SELECT destination, 1 FROM sides, generate_series(1, %(rows)s)
            UNION ALL SELECT source, -%(rows)s FROM sides
            """,
            {"to": chart.available(user), "rows": rows},
        )


@pytest.mark.slow
def test_an_account_that_nobody_folded_for_a_day_is_folded_by_and_by(open_house: OpenHouse):
    user = new_user()
    _append(open_house, user, 70_000)
    rounds = []
    while ledger.fold():
        rounds.append(len(book.pending(chart.available(user))))
        assert available(user).micro == 70_000
    assert rounds == [50_000, 30_000, 10_000, 0]
    assert audit.findings() == []


@pytest.mark.slow
def test_a_debit_folds_no_more_of_a_flood_than_it_takes(open_house: OpenHouse):
    user, other = new_user(), new_user()
    _append(open_house, user, 50_000)
    post(entries.transfer("t", user, other, Usdc(25_000), ZERO))
    assert len(book.pending(chart.available(user))) == 10_000
    assert available(user).micro == 25_000
    with pytest.raises(Invalid):
        post(entries.transfer("t2", user, other, Usdc(25_001), ZERO))
    assert available(user).micro == 25_000
    assert audit.findings() == []


def test_a_fold_waits_for_nobody_and_leaves_who_is_at_work(open_house: OpenHouse):
    user, other = new_user("10"), new_user("10")
    with open_house.superuser() as connection, connection.transaction():
        connection.execute(
            """
            SELECT FROM ledger_balances b JOIN ledger_accounts a ON a.id = b.account_id
            WHERE a.address = %s FOR NO KEY UPDATE OF b
            """,
            (chart.available(user),),
        )
        assert ledger.fold() == 2
        db.release()
        assert book.pending(chart.available(user)) == [10_000_000]
        assert book.pending(chart.available(other)) == []
        assert available(user) == usdc("10")
    assert ledger.fold() == 1
    assert book.pending(chart.available(user)) == []
