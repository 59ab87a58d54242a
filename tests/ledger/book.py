"""The book, seen whole, and the hands that move money in its tests."""

from typing import Any

from protonpay.kernel import ids
from protonpay.kernel.money import Usdc
from protonpay.ledger import chart, entries
from protonpay.ledger import service as ledger
from protonpay.ledger.entries import Entry
from protonpay.ledger.service import Posted
from protonpay.store import db

TABLES = (
    "ledger_accounts",
    "ledger_balances",
    "ledger_pending",
    "journal_entries",
    "postings",
    "ledger_seals",
    "ledger_seal_mark",
)


def usdc(text: str) -> Usdc:
    return Usdc.parse(text)


def whole() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table of the book."""
    return {
        table: db.execute(f"SELECT * FROM {table} ORDER BY 1, 2", {}).fetchall() for table in TABLES
    }


def entry_rows(reference: str) -> list[tuple[Any, ...]]:
    """The postings that stand under a reference, by address."""
    query = """
        SELECT e.kind, p.position, s.address, d.address, p.micro FROM journal_entries e
        JOIN postings p ON p.entry_id = e.id
        JOIN ledger_accounts s ON s.id = p.source JOIN ledger_accounts d ON d.id = p.destination
        WHERE e.reference = %(reference)s ORDER BY p.position
    """
    return db.execute(query, {"reference": reference}).fetchall()


def pending(address: str) -> list[int]:
    """What is appended to an account and not folded yet."""
    query = """
        SELECT p.micro FROM ledger_pending p JOIN ledger_accounts a ON a.id = p.account_id
        WHERE a.address = %(address)s ORDER BY p.id
    """
    return [row[0] for row in db.execute(query, {"address": address})]


def folded(address: str) -> int:
    """What is folded into an account's balance."""
    query = """
        SELECT b.micro FROM ledger_balances b JOIN ledger_accounts a ON a.id = b.account_id
        WHERE a.address = %(address)s
    """
    return db.execute(query, {"address": address}).fetchone()[0]


def post(entry: Entry) -> Posted:
    """Post in a transaction of its own."""
    with db.transaction():
        return ledger.post(entry)


def new_user(funds: str = "0") -> str:
    """Open the accounts of somebody new, and fund them from outside."""
    user_id = ids.new_id()
    with db.transaction():
        ledger.open_accounts(chart.of_user(user_id))
    if funds != "0":
        post(entries.card_credit(user_id, "tap", user_id, usdc(funds), Usdc(0)))
    return user_id


def available(user_id: str) -> Usdc:
    return ledger.balance(chart.available(user_id))


def held(user_id: str) -> Usdc:
    return ledger.balance(chart.held(user_id))
