"""The audit is silent about a sound book and finds every breakage that is planted."""

import pytest

from protonpay.kernel.money import ZERO
from protonpay.ledger import audit, chart, entries
from protonpay.ledger import service as ledger
from protonpay.ledger.entries import Entry, Posting, Refund
from protonpay.store import db
from tests.committed import OpenHouse
from tests.ledger.book import new_user, post, usdc

BALANCE = "balances equal postings"
SUM = "all balances sum to zero"
FLOOR = "nobody is below zero"
DEBITS = "appended debits only where there is no floor"
EMPTY = "every entry has postings"
ROWS = "every account has a balance row"
ONCE = "a hold ends once"
HOLD = "an end moves exactly what its hold set aside"
OWES = "who owes has nothing to spend"
OVER = "nobody repays more than they owe"
BACK = "no more is taken back than was credited"
FLOORS = "users have a floor, in both tables"
SEALED = "every entry is sealed"
END = "the chain of seals ends where its mark is"
CHAIN = "the chain of seals holds"


@pytest.fixture
def user(open_house: OpenHouse) -> str:
    """A user in the middle of life: something folded, something appended, a payout each way."""
    user = new_user("100")
    other = new_user()
    post(entries.payout_hold("settled", user, usdc("10")))
    post(entries.payout_settle("settled", user, "Base", usdc("9"), usdc("1")))
    post(entries.payout_hold("released", user, usdc("5")))
    ledger.fold()
    post(entries.payout_release("released", user, usdc("5")))
    post(entries.payout_hold("open", user, usdc("20")))
    post(entries.transfer("t", user, other, usdc("7"), ZERO))
    return user


def _found() -> set[str]:
    return {finding.invariant for finding in audit.findings()}


def test_a_sound_book_has_no_findings(user: str):
    assert audit.findings() == []


BY_HAND = {
    "a balance grew": (
        "UPDATE ledger_balances SET micro = micro + 1 WHERE account_id = {account}",
        {BALANCE, SUM},
    ),
    "two balances were mixed up": (
        """
        UPDATE ledger_balances SET micro = micro + CASE account_id WHEN {account} THEN 1 ELSE -1 END
        WHERE account_id IN (
            {account}, (SELECT id FROM ledger_accounts WHERE address = 'custody:Base'))
        """,
        {BALANCE},
    ),
    "a credit vanished": (
        "DELETE FROM ledger_pending WHERE id = (SELECT max(id) FROM ledger_pending)",
        {BALANCE, SUM},
    ),
    "a credit came twice": (
        """
        INSERT INTO ledger_pending (account_id, micro)
        SELECT account_id, micro FROM ledger_pending ORDER BY id DESC LIMIT 1
        """,
        {BALANCE, SUM},
    ),
    "a posting was rewritten": (
        "UPDATE postings SET micro = micro + 1 WHERE entry_id = {entry}",
        {BALANCE},
    ),
    "a posting changed its side": (
        "UPDATE postings SET source = destination, destination = source WHERE entry_id = {entry}",
        {BALANCE},
    ),
    "an entry lost its postings": (
        "DELETE FROM postings WHERE entry_id = {entry}",
        {BALANCE, EMPTY},
    ),
    "an entry without postings": (
        "INSERT INTO journal_entries (reference, kind) VALUES ('ghost', 'gift')",
        {EMPTY},
    ),
    "somebody is below zero": (
        """
        ALTER TABLE ledger_balances DROP CONSTRAINT ck_ledger_balances_not_below_zero;
        UPDATE ledger_balances SET micro = -1 WHERE account_id = {account}
        """,
        {BALANCE, SUM, FLOOR},
    ),
    "a debit was appended": (
        "INSERT INTO ledger_pending (account_id, micro) VALUES ({account}, -1)",
        {BALANCE, SUM, DEBITS},
    ),
    "a balance row is gone": (
        "DELETE FROM ledger_balances WHERE account_id = {account}",
        {ROWS, SUM},
    ),
    "the floor is gone": (
        """
        ALTER TABLE ledger_accounts DROP CONSTRAINT ck_ledger_accounts_users_have_a_floor;
        UPDATE ledger_accounts SET may_go_negative = true WHERE id = {account};
        UPDATE ledger_balances SET may_go_negative = true WHERE account_id = {account}
        """,
        {FLOORS},
    ),
    "the floor is gone in one place": (
        "UPDATE ledger_balances SET may_go_negative = true WHERE account_id = {account}",
        {FLOORS},
    ),
    "a sealed entry was renamed": (
        """
        SELECT ledger_seal(100);
        UPDATE journal_entries SET reference = 'transfer:u' WHERE id = {entry}
        """,
        {CHAIN},
    ),
    "the newest seal is gone": (
        """
        SELECT ledger_seal(100);
        DELETE FROM ledger_seals WHERE position = (SELECT max(position) FROM ledger_seals)
        """,
        {CHAIN, END},
    ),
    "an old entry is not sealed": (
        """
        INSERT INTO journal_entries (reference, kind, posted_at)
        VALUES ('ghost', 'gift', now() - interval '2 hours')
        """,
        {EMPTY, SEALED},
    ),
}


@pytest.mark.parametrize("breakage", BY_HAND)
def test_what_the_superuser_breaks_is_found(open_house: OpenHouse, user: str, breakage: str):
    statements, invariants = BY_HAND[breakage]
    address = chart.available(user)
    places = {
        "account": f"(SELECT id FROM ledger_accounts WHERE address = '{address}')",
        "entry": "(SELECT id FROM journal_entries WHERE reference = 'transfer:t')",
    }
    with open_house.superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statements.format(**places))
    assert _found() == invariants


BY_ENTRIES = {
    "a payout was settled and given back": (
        lambda user, _: entries.payout_release("settled", user, usdc("10")),
        {ONCE, HOLD},
    ),
    "a payout was given back that never was": (
        lambda user, _: entries.payout_release("never", user, usdc("1")),
        {HOLD},
    ),
    "a payout took less than it held": (
        lambda user, _: entries.payout_settle("open", user, "Base", usdc("19"), ZERO),
        {HOLD},
    ),
    "a payout took what somebody else held": (
        lambda _, other: entries.payout_settle("open", other, "Base", usdc("20"), ZERO),
        {HOLD},
    ),
}


@pytest.mark.parametrize("breakage", BY_ENTRIES)
def test_what_wrong_entries_break_is_found(user: str, breakage: str):
    entry, invariants = BY_ENTRIES[breakage]
    other = new_user("50")
    post(entries.payout_hold("theirs", other, usdc("30")))
    assert audit.findings() == []
    post(entry(user, other))
    assert _found() == invariants


def _owing(user: str) -> None:
    refund = Refund(usdc("30"), ZERO, 30)
    with db.transaction():
        ledger.open_accounts(chart.of_debtor(user))
        ledger.post(entries.card_refund(user, "tap", user, refund, there=ZERO))


def test_who_owes_and_has_is_found(user: str):
    _owing(user)
    assert _found() == {OWES}


def test_who_repaid_too_much_is_found(user: str):
    with db.transaction():
        ledger.open_accounts(chart.of_debtor(user))
    too_much = Posting(chart.available(user), chart.debt(user), usdc("1"))
    post(Entry("too much", "debt_repayment", (too_much,)))
    assert _found() == {OVER}


def test_what_is_taken_back_beyond_the_credit_is_found(user: str):
    refund = Refund(usdc("60"), usdc("1"), 60)
    post(entries.card_refund(user, "tap", user, refund, there=usdc("60")))
    assert _found() == {BACK}


def test_every_invariant_has_a_breakage_here():
    planted = [*BY_HAND.values(), *BY_ENTRIES.values()]
    found = set.union(*(invariants for _, invariants in planted)) | {OWES, OVER, BACK}
    assert found == set(audit.invariants())
