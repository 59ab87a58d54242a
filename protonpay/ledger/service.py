"""Open accounts, post entries, read balances. Joins the caller's transaction, never commits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg

from protonpay.kernel.errors import Invalid
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import chart
from protonpay.ledger.chart import Opening
from protonpay.ledger.entries import Entry, Posting
from protonpay.store import db

_POST = """
    SELECT entry_id, replayed, balances
    FROM ledger_post(%(reference)s, %(kind)s, %(sources)s, %(destinations)s, %(micros)s::bigint[])
"""
_POST_ALL = """
    SELECT ledger_post_all(%(references)s, %(kinds)s, %(entries)s::integer[],
                           %(sources)s, %(destinations)s, %(micros)s::bigint[])
"""
_OPEN = "SELECT ledger_open(%(addresses)s::text[], %(may_go_negative)s::boolean[])"
_BALANCE = "SELECT ledger_balance(%(address)s)"
_CLAIM = "SELECT ledger_claim(%(address)s)"
_LINE_UP = "SELECT ledger_line_up(%(source)s, %(destination)s)"
_PURSE = "SELECT ledger_balance(%(available)s), ledger_balance(%(debt)s)"
_MOVED = """
    SELECT coalesce(sum(p.micro), 0) FROM postings p
    JOIN journal_entries e ON e.id = p.entry_id
    JOIN ledger_accounts a ON a.id = p.source
    WHERE e.kind = %(kind)s AND a.address = %(source)s
"""
_HELD = """
    SELECT a.payout_id
    FROM unnest(%(payout_ids)s::text[], %(sources)s::text[], %(held)s::text[], %(totals)s::bigint[])
         AS a (payout_id, source, held, total)
    JOIN journal_entries e ON e.reference = 'payout:' || a.payout_id || ':hold'
                          AND e.kind = 'payout_hold'
    JOIN postings p ON p.entry_id = e.id
    JOIN ledger_accounts s ON s.id = p.source
    JOIN ledger_accounts d ON d.id = p.destination
    WHERE NOT EXISTS (SELECT FROM journal_entries o WHERE o.reference IN (
        'payout:' || a.payout_id || ':settle', 'payout:' || a.payout_id || ':release'))
    GROUP BY a.payout_id
    HAVING count(*) = 1
       AND bool_and(s.address = a.source AND d.address = a.held AND p.micro = a.total)
"""
_FOLD = "SELECT ledger_fold(%(accounts)s)"


class UnknownAccount(Exception):
    """An entry names an account that was never opened: a bug, not a refusal."""


class ReferenceTaken(Exception):
    """The reference already stands in the book with other postings: a bug, not a refusal."""


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry that stands in the book.

    Attributes:
        replayed: it stood there before; nothing moved now.
        balances: the balance of each posting's source after the entry, in their order.
    """

    entry_id: int
    replayed: bool
    balances: tuple[Usdc, ...]


@dataclass(frozen=True, slots=True)
class Hold:
    """What should be set aside for a payout.

    Attributes:
        total: amount and fee.
        source: the account it was taken from, if that is not its user's own.
    """

    payout_id: str
    user_id: str
    total: Usdc
    source: str | None = None


def open_accounts(openings: Sequence[Opening]) -> None:
    """Open accounts at zero; those that exist stay as they are."""
    db.current()
    parameters = {
        "addresses": [opening.address for opening in openings],
        "may_go_negative": [opening.may_go_negative for opening in openings],
    }
    db.execute(_OPEN, parameters)


def post(entry: Entry) -> Posted:
    """Write an entry and move its money, in one round trip and in the caller's transaction.

    The database function inserts the reference first, so a replay costs no lock; then debits
    in ascending account order, each tested against what the account has; then credits,
    which are appended. A user who owes repays out of what the entry brings them, as an
    entry of its own beside it.

    Raises:
        Invalid: a source has less than it should give (``insufficient_balance``).
        ReferenceTaken: the reference stands there with other postings.
        UnknownAccount: an account was never opened.
    """
    db.current()
    try:
        row = db.execute(_POST, _parameters(entry)).fetchone()
    except psycopg.Error as error:
        raise _named(error, entry.reference) from error
    entry_id, replayed, balances = row or (0, False, [])
    return Posted(entry_id, replayed, tuple(Usdc(micro) for micro in balances))


def post_all(entries: Sequence[Entry]) -> None:
    """Write entries as ``post`` does, one after the other, all in one round trip.

    Args:
        entries: in the order in which accounts are locked, which is their owners'.

    Raises:
        Invalid, ReferenceTaken, UnknownAccount: as ``post``; then none is written.
    """
    if not entries:
        return
    postings = [(n, each) for n, entry in enumerate(entries, 1) for each in entry.postings]
    parameters = {
        "references": [entry.reference for entry in entries],
        "kinds": [entry.kind for entry in entries],
        "entries": [n for n, _ in postings],
        **_columns([posting for _, posting in postings]),
    }
    db.current()
    try:
        db.execute(_POST_ALL, parameters)
    except psycopg.Error as error:
        raise _named(error, error.diag.message_primary or "") from error


def balance(address: str) -> Usdc:
    """Return an account's balance, appended credits included.

    Raises:
        UnknownAccount: it was never opened.
    """
    row = db.execute(_BALANCE, {"address": address}).fetchone()
    if row is None or row[0] is None:
        raise UnknownAccount(address)
    return Usdc(row[0])


def moved(kind: str, source: str) -> Usdc:
    """Return what all entries of a kind took out of an account. For commands: it reads them all."""
    row = db.execute(_MOVED, {"kind": kind, "source": source}).fetchone()
    return Usdc(int(row[0]) if row else 0)


def check_covers(address: str, amount: Usdc) -> None:
    """Refuse as ``post`` would refuse to take an amount from an account now; holds nothing.

    Raises:
        Invalid: there is less (``insufficient_balance``).
        UnknownAccount: it was never opened.
    """
    if balance(address) < amount:
        raise _insufficient()


def purse(user_id: str) -> tuple[Usdc, Usdc]:
    """Return what a user may spend and what they owe us, as of one moment; never both.

    Raises:
        UnknownAccount: there is no such user.
    """
    addresses = {"available": chart.available(user_id), "debt": chart.debt(user_id)}
    available, debt = db.execute(_PURSE, addresses).fetchone() or (None, None)
    if available is None:
        raise UnknownAccount(addresses["available"])
    return Usdc(available), ZERO - Usdc(debt or 0)


def owed(user_id: str) -> Usdc:
    """Return what a user owes us; zero for who never did."""
    return purse(user_id)[1]


def held(holds: Sequence[Hold]) -> set[str]:
    """Return the payouts for which exactly this is set aside and neither paid nor given back."""
    parameters = {
        "payout_ids": [hold.payout_id for hold in holds],
        "sources": [hold.source or chart.available(hold.user_id) for hold in holds],
        "held": [chart.held(hold.user_id) for hold in holds],
        "totals": [hold.total.micro for hold in holds],
    }
    return {payout_id for (payout_id,) in db.execute(_HELD, parameters)}


def claim(address: str) -> Usdc:
    """Hold an account still until the transaction ends, and return what is in it.

    Taken before other locks of the ledger, and by few: it waits for those who are just
    bringing or taking money, and they wait for it.

    Raises:
        UnknownAccount: it was never opened.
    """
    db.current()
    try:
        row = db.execute(_CLAIM, {"address": address}).fetchone()
    except psycopg.Error as error:
        if error.sqlstate == "PP002":
            raise UnknownAccount(address) from error
        raise
    return Usdc(row[0] if row else 0)


def line_up(source: str, destination: str) -> None:
    """Take the locks of an entry between two accounts now, in the caller's transaction.

    For who posts it after others: one of them may repay a debt, and whoever locks a debt has
    locked all available balances before.
    """
    db.current()
    db.execute(_LINE_UP, {"source": source, "destination": destination})


def fold(accounts: int = 1000) -> int:
    """Fold appended credits into the balances of up to so many accounts; return how many."""
    with db.transaction():
        row = db.execute(_FOLD, {"accounts": accounts}).fetchone()
    return int(row[0]) if row else 0


def _insufficient() -> Invalid:
    return Invalid("insufficient_balance", "The balance does not cover this amount.")


def _parameters(entry: Entry) -> Mapping[str, object]:
    return {"reference": entry.reference, "kind": entry.kind, **_columns(entry.postings)}


def _columns(postings: Sequence[Posting]) -> Mapping[str, object]:
    return {
        "sources": [posting.source for posting in postings],
        "destinations": [posting.destination for posting in postings],
        "micros": [posting.amount.micro for posting in postings],
    }


def _named(error: psycopg.Error, reference: str) -> Exception:
    match error.sqlstate:
        case "PP001" | "22003":  # out of range: more than any account can ever hold
            return _insufficient()
        case "PP002":
            return UnknownAccount(reference)
        case "PP003":
            return ReferenceTaken(reference)
        case _:
            return error
