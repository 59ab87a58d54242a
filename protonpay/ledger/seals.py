"""The chain over the book: each entry's hash holds the one before, so no past can be rewritten.

Entries are sealed after they were committed, in batches, by ``ledger_seal``; a posting never
waits for the chain. An entry's place is given when it is sealed, so one that commits late has a
later place than its id says, and none is left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from protonpay.kernel.errors import Unavailable
from protonpay.kernel.money import Usdc
from protonpay.store import db

GENESIS = bytes(32)
"""What stands before the first entry."""

BATCH = 2000
_CHECKED_AT_ONCE = 20_000
_ROUNDS = 1000
_EXPORTED_AT_ONCE = 5000
_SEAL = "SELECT sealed, whole FROM ledger_seal(%(most)s)"
# As of one snapshot: what is there now, without what the entries beyond the cut have moved.
_CUT = """
    WITH mark AS (SELECT cut, cut_hash, settled FROM ledger_seal_mark),
    beyond AS (
        SELECT s.entry_id AS id FROM ledger_seals s, mark WHERE s.position > mark.cut
        UNION ALL
        SELECT e.id FROM journal_entries e, mark
        WHERE e.id > mark.settled
        AND NOT EXISTS (SELECT FROM ledger_seals s WHERE s.entry_id = e.id)),
    part AS (
        SELECT account_id, micro FROM ledger_balances
        UNION ALL SELECT account_id, micro FROM ledger_pending
        UNION ALL SELECT p.destination, -p.micro FROM postings p JOIN beyond b ON b.id = p.entry_id
        UNION ALL SELECT p.source, p.micro FROM postings p JOIN beyond b ON b.id = p.entry_id),
    held AS (SELECT account_id, sum(micro)::bigint AS micro FROM part GROUP BY account_id),
    owner AS (
        SELECT split_part(a.address, ':', 2) AS id, split_part(a.address, ':', 3) = 'debt' AS owes,
               sum(h.micro)::bigint AS micro
        FROM ledger_accounts a JOIN held h ON h.account_id = a.id
        WHERE a.address LIKE 'user:%%' GROUP BY 1, 2)
    SELECT mark.cut, mark.cut_hash,
           (SELECT coalesce(-sum(micro), 0)::bigint FROM owner WHERE owes),
           (SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM owner WHERE NOT owes),
           (SELECT coalesce(array_agg(micro ORDER BY id), '{}') FROM owner WHERE NOT owes)
    FROM mark
"""
# Each link stands on the stored hash before it, so what is broken is named and nothing after it.
_BROKEN = """
    SELECT n.position, s.entry_id, e.reference,
           CASE WHEN s.position IS NULL THEN 'its seal is gone'
                WHEN e.id IS NULL THEN 'the entry is gone'
                ELSE 'what stands there is not what was sealed' END
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n (position)
    LEFT JOIN ledger_seals s ON s.position = n.position
    LEFT JOIN ledger_seals before ON before.position = n.position - 1
    LEFT JOIN journal_entries e ON e.id = s.entry_id
    WHERE s.hash IS NULL OR s.hash IS DISTINCT FROM sha256(
        CASE n.position WHEN 1 THEN %(genesis)s::bytea ELSE before.hash END
        || convert_to(ledger_entry_text(n.position, s.entry_id), 'UTF8'))
    ORDER BY n.position LIMIT 20
"""
_MARK = "SELECT position, checked FROM ledger_seal_mark"
_CHECKED = "UPDATE ledger_seal_mark SET checked = %(checked)s"
# Everything up to the mark's "settled" is sealed, so only what came after it is looked through.
_UNSEALED = """
    SELECT count(*),
           coalesce(greatest(extract(epoch FROM clock_timestamp() - min(e.posted_at)), 0), 0)
    FROM journal_entries e, ledger_seal_mark m
    WHERE e.id > m.settled
    AND NOT EXISTS (SELECT FROM ledger_seals s WHERE s.entry_id = e.id)
"""
_HASH = "SELECT hash FROM ledger_seals WHERE position = %(position)s"
_LINES = """
    SELECT position, encode(hash, 'hex'), ledger_entry_text(position, entry_id)
    FROM ledger_seals WHERE position BETWEEN %(first)s AND %(last)s ORDER BY position
"""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What one batch did.

    Attributes:
        whole: everything that was visible is sealed now; False also while another one seals.
    """

    entries: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the chain is behind the book.

    Attributes:
        entries: committed and not sealed.
        seconds: since the oldest of them was posted; 0 without any.
    """

    entries: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Cut:
    """What every user has and owes as of a position of the chain that is a moment of the book.

    Attributes:
        hash: the chain's at that position.
        balances: user → available and held together.
        debts: what all users owe us together; taken off nobody's balance.
    """

    position: int
    hash: bytes
    balances: Mapping[str, Usdc]
    debts: Usdc


@dataclass(frozen=True, slots=True)
class Broken:
    """A place where the chain does not hold.

    Attributes:
        entry: id and reference of the entry, as far as they still stand there.
    """

    position: int
    entry: str
    why: str


def seal(most: int = BATCH) -> Sealed:
    """Seal up to so many entries that are committed."""
    with db.transaction():
        row = db.execute(_SEAL, {"most": most}).fetchone()
    return Sealed(*row) if row else Sealed(0, whole=False)


def seal_all() -> None:
    """Seal until nothing is left.

    Raises:
        Unavailable: another one is sealing, or more comes than can be sealed (``sealing_busy``).
    """
    for _ in range(_ROUNDS):
        done = seal()
        if done.whole:
            return
        if not done.entries:
            break
    raise Unavailable("sealing_busy", "The book is being sealed. Try again.", retry_after=5)


def cut() -> Cut:
    """Return everybody's balance as of the newest position that is a moment of the book."""
    with db.transaction():
        db.execute("SET LOCAL statement_timeout = '60s'", {})
        row = db.execute(_CUT, {}).fetchone()
    position, chain_hash, debts, users, balances = row or (0, GENESIS, 0, [], [])
    held = dict(zip(users, map(Usdc, balances), strict=True))
    return Cut(position, bytes(chain_hash), held, Usdc(debts))


def length() -> int:
    """Return how many entries are sealed."""
    row = db.execute(_MARK, {}).fetchone()
    return row[0] if row else 0


def lag() -> Lag:
    """Return how far the chain is behind the book now."""
    row = db.execute(_UNSEALED, {}).fetchone()
    return Lag(row[0], int(row[1])) if row else Lag(0, 0)


def hash_at(position: int) -> bytes | None:
    """Return the chain's hash at a position; None where there is none."""
    if position == 0:
        return GENESIS
    row = db.execute(_HASH, {"position": position}).fetchone()
    return bytes(row[0]) if row else None


def check_next() -> list[Broken]:
    """Verify the next part of the chain, and begin anew once its end was reached."""
    with db.transaction():
        position, checked = db.execute(_MARK, {}).fetchone() or (0, 0)
        last = min(checked + _CHECKED_AT_ONCE, position)
        found = check(checked + 1, last)
        db.execute(_CHECKED, {"checked": 0 if last == position else last})
    return found


def check_all() -> Iterator[Broken]:
    """Verify the whole chain, part by part."""
    last = length()
    for first in range(1, last + 1, _CHECKED_AT_ONCE):
        yield from check(first, min(first + _CHECKED_AT_ONCE - 1, last))


def check(first: int, last: int) -> list[Broken]:
    """Verify a part of the chain: every hash is of the one before and of what stands there now."""
    with db.transaction():
        db.execute("SET LOCAL statement_timeout = '60s'", {})
        parameters = {"first": first, "last": last, "genesis": GENESIS}
        rows = db.execute(_BROKEN, parameters).fetchall()
    return [Broken(at, f"entry {entry} ({reference})", why) for at, entry, reference, why in rows]


def export(first: int = 1, last: int | None = None) -> Iterator[tuple[int, str, str]]:
    """Return position, hash in hex and hashed text of sealed entries, in order.

    Args:
        first: the position to begin with.
        last: the position to end with; the end of the chain by default.
    """
    end = length() if last is None else min(last, length())
    for start in range(first, end + 1, _EXPORTED_AT_ONCE):
        part = {"first": start, "last": min(start + _EXPORTED_AT_ONCE - 1, end)}
        yield from db.execute(_LINES, part).fetchall()
