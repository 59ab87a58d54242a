"""What our own tables say, each question one statement and so of one moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from protonpay.ledger import chart
from protonpay.store import db

# Entries that bring a transfer to the book, whoever it is for.
_CREDITS = ["chain_credit", "chain_suspend"]
_LATE = "10 minutes"
_PATIENCE = "60s"

_NETWORK = """
    WITH account AS (SELECT id FROM ledger_accounts WHERE address = %(custody)s),
    given AS (
        SELECT e.kind, e.reference, e.posted_at, p.micro FROM postings p
        JOIN journal_entries e ON e.id = p.entry_id
        WHERE p.destination = (SELECT id FROM account)),
    taken AS (
        SELECT sum(p.micro) AS micro, sum(p.micro) FILTER (WHERE e.kind = ANY(%(credits)s)) AS came
        FROM postings p JOIN journal_entries e ON e.id = p.entry_id
        WHERE p.source = (SELECT id FROM account))
    SELECT
        (SELECT coalesce(sum(micro), 0) FROM (
            SELECT micro FROM ledger_balances WHERE account_id = (SELECT id FROM account)
            UNION ALL
            SELECT micro FROM ledger_pending WHERE account_id = (SELECT id FROM account)) AS b),
        (SELECT coalesce(sum(micro), 0) FROM given) - coalesce((SELECT micro FROM taken), 0),
        coalesce((SELECT came FROM taken), 0),
        (SELECT coalesce(sum(amount_micro), 0) FROM incoming
         WHERE network = %(network)s AND state = 'FINAL' AND NOT inside),
        (SELECT coalesce(jsonb_object_agg(id, amount_micro), '{}') FROM payouts
         WHERE network = %(network)s AND tx_hash IS NOT NULL
         AND state NOT IN ('COMPLETED', 'FAILED')),
        (SELECT coalesce(jsonb_object_agg(split_part(reference, ':', 2), micro), '{}') FROM given
         WHERE kind = 'payout_settle' AND posted_at > to_timestamp(%(since)s))
"""
_ORPHANS = """
    SELECT e.reference, sum(p.micro) FROM journal_entries e
    JOIN postings p ON p.entry_id = e.id
    JOIN ledger_accounts a ON a.id = p.source AND a.address = %(custody)s
    WHERE e.kind = ANY(%(credits)s) AND NOT EXISTS (
        SELECT FROM incoming i WHERE i.id = split_part(e.reference, ':', 2)
        AND i.network = %(network)s)
    GROUP BY 1 ORDER BY 1 LIMIT 20
"""
_UNFOLLOWED = """
    SELECT i.id, i.amount_micro, i.address, i.tx_hash, e.id IS NOT NULL
    FROM incoming i LEFT JOIN journal_entries e ON e.reference = 'incoming:' || i.id || ':credit'
    WHERE i.network = %(network)s AND i.state = 'FINAL' AND i.final_at < now() - %(late)s::interval
    AND (e.id IS NULL OR i.holder_kind = 'user'
         AND NOT EXISTS (SELECT FROM deposits d WHERE d.incoming_id = i.id))
    ORDER BY i.id LIMIT 20
"""
_ADDRESSES = """
    SELECT number, address FROM deposit_addresses
    WHERE family = %(family)s AND holder_id IS NOT NULL AND number > %(after)s
    ORDER BY number LIMIT %(most)s
"""
_ARRIVED = """
    SELECT address, sum(amount_micro) FROM incoming
    WHERE network = %(network)s AND address = ANY(%(addresses)s) AND state IN ('FINAL', 'SEEN')
    AND NOT inside AND block <= %(height)s GROUP BY 1
"""
_RING = """
    WITH soon AS (
        SELECT network, address FROM watched_accounts
        WHERE network = %(network)s AND address = ANY(%(addresses)s) AND due_at > now()
        ORDER BY address FOR NO KEY UPDATE)
    UPDATE watched_accounts a SET due_at = now() FROM soon
    WHERE a.network = soon.network AND a.address = soon.address
"""
_MARK = "SELECT height FROM watch_marks WHERE network = %(network)s"
_ACCOUNT = """
    WITH account AS (SELECT id FROM ledger_accounts WHERE address = %(address)s)
    SELECT
        (SELECT coalesce(sum(micro), 0) FROM (
            SELECT micro FROM ledger_balances WHERE account_id = (SELECT id FROM account)
            UNION ALL
            SELECT micro FROM ledger_pending WHERE account_id = (SELECT id FROM account)) AS b),
        (SELECT coalesce(sum(micro), 0) FROM (
            SELECT micro FROM postings WHERE destination = (SELECT id FROM account)
            UNION ALL
            SELECT -micro FROM postings WHERE source = (SELECT id FROM account)) AS p)
"""
_TAMPERED = """
    WITH moved AS (
        SELECT account_id, sum(micro) AS micro FROM (
            SELECT destination AS account_id, micro FROM postings
            UNION ALL SELECT source, -micro FROM postings) AS p
        GROUP BY account_id),
    pending AS (SELECT account_id, sum(micro) AS micro FROM ledger_pending GROUP BY account_id)
    SELECT a.address, b.micro + coalesce(p.micro, 0), coalesce(m.micro, 0)
    FROM ledger_accounts a JOIN ledger_balances b ON b.account_id = a.id
    LEFT JOIN moved m ON m.account_id = a.id
    LEFT JOIN pending p ON p.account_id = a.id
    WHERE b.micro + coalesce(p.micro, 0) <> coalesce(m.micro, 0)
    AND a.address <> ALL(%(but)s)
    ORDER BY a.address LIMIT 20
"""
_PAYMENTS = """
    SELECT d.id, d.provider_ref, d.state, d.currency, d.fiat_minor, d.refunded_minor,
           d.rate_scaled, d.amount_micro,
           coalesce((SELECT sum(p.micro) FROM journal_entries e
                     JOIN postings p ON p.entry_id = e.id
                     WHERE e.reference = 'deposit:' || d.id || ':credit'), 0)
    FROM deposits d
    WHERE d.provider = %(provider)s AND d.provider_ref IS NOT NULL AND d.id > %(after)s
    AND (d.created_at > now() - %(window)s::interval OR d.ended_at > now() - %(window)s::interval
         OR d.id IN (
             SELECT c.subject FROM reconciliation_cases c
             WHERE c.rail = %(provider)s
             AND (c.state <> 'RESOLVED'
                  OR c.closed_by IS NOT NULL AND c.closed_at > now() - %(window)s::interval)))
    ORDER BY d.id LIMIT %(most)s
"""
_KNOWN = "SELECT id FROM deposits WHERE id = ANY(%(ids)s)"
_CARD_ORPHANS = """
    SELECT e.reference, sum(p.micro) FROM journal_entries e
    JOIN postings p ON p.entry_id = e.id
    JOIN ledger_accounts a ON a.id = p.source AND a.address = %(clearing)s
    WHERE e.kind = 'card_credit' AND NOT EXISTS (
        SELECT FROM deposits d WHERE d.id = split_part(e.reference, ':', 2))
    GROUP BY 1 ORDER BY 1 LIMIT 20
"""


@dataclass(frozen=True, slots=True)
class NetworkBook:
    """What the book says of one network.

    Attributes:
        balance: of its custody account, and ``booked`` what its postings make of it.
        credited: what came in by transfers, as booked.
        arrived: what came in by transfers, as the watch has them.
        open: payouts that may have left, and are not booked as paid → amount.
        settled: payouts booked as paid not long before the block, or after it → amount.
    """

    balance: int
    booked: int
    credited: int
    arrived: int
    open: Mapping[str, int]
    settled: Mapping[str, int]


def of_network(network: str, since: int) -> NetworkBook:
    """Return what the book says of a network; settlements since a moment, in Unix seconds."""
    (row,) = _all(_NETWORK, **_on(network), since=since)
    balance, booked, credited, arrived, still_open, settled = row
    return NetworkBook(int(balance), int(booked), int(credited), int(arrived), still_open, settled)


def credits_without_transfer(network: str) -> Sequence[tuple[str, int]]:
    """Return references and amounts of entries whose transfer nobody has seen; twenty at most."""
    return [(reference, int(micro)) for reference, micro in _all(_ORPHANS, **_on(network))]


def unfollowed(network: str) -> Sequence[tuple[str, int, str, str, bool]]:
    """Return final transfers without their entry or deposit after ten minutes; twenty at most.

    Returns:
        Id, amount, address, transaction, and whether the book has it.
    """
    return [tuple(row) for row in _all(_UNFOLLOWED, network=network, late=_LATE)]


def addresses(family: str, after: int, most: int) -> Sequence[tuple[int, str]]:
    """Return addresses that were handed out, in the order of their numbers."""
    return [tuple(row) for row in _all(_ADDRESSES, family=family, after=after, most=most)]


def arrived(network: str, on: Sequence[str], height: int) -> Mapping[str, int]:
    """Return what transfers up to a final block brought to each address; nothing is left out.

    One that is there and waits for a second node's word is among them.
    """
    rows = _all(_ARRIVED, network=network, addresses=list(on), height=height)
    return {address: int(micro) for address, micro in rows}


def look_soon(network: str, on: Sequence[str]) -> None:
    """Have accounts that are asked about one by one looked at now, in the caller's transaction."""
    db.execute(_RING, {"network": network, "addresses": list(on)})


def watched_up_to(network: str) -> int | None:
    """Return the final block up to which every transfer is known; None before the first."""
    row = next(iter(_all(_MARK, network=network)), None)
    return None if row is None else int(row[0])


def account(address: str) -> tuple[int, int]:
    """Return the balance of an account, and what its postings make of it."""
    ((balance, booked),) = _all(_ACCOUNT, address=address)
    return int(balance), int(booked)


def tampered(but: Sequence[str]) -> Sequence[tuple[str, int, int]]:
    """Return accounts whose balance is not what their postings make of it; twenty at most.

    Args:
        but: addresses that are left out.
    """
    rows = _all(_TAMPERED, but=list(but))
    return [(address, int(balance), int(booked)) for address, balance, booked in rows]


def card_payments(provider: str, after: str, most: int, window: str) -> Sequence[tuple[Any, ...]]:
    """Return deposits of a provider whose payment can be asked for, with what was credited."""
    asked = {"provider": provider, "after": after, "most": most, "window": window}
    return _all(_PAYMENTS, **asked)


def known_deposits(deposit_ids: Sequence[str]) -> set[str]:
    """Return which of these ids are of deposits that we have."""
    return {row[0] for row in _all(_KNOWN, ids=list(deposit_ids))}


def card_credits_without_deposit(provider: str) -> Sequence[tuple[str, int]]:
    """Return references and amounts of card credits whose deposit is not there; twenty at most."""
    rows = _all(_CARD_ORPHANS, clearing=chart.clearing(provider))
    return [(reference, int(micro)) for reference, micro in rows]


def _on(network: str) -> dict[str, Any]:
    return {"network": network, "custody": chart.custody(network), "credits": _CREDITS}


def _all(query: str, **parameters: Any) -> Sequence[tuple[Any, ...]]:
    with db.transaction():
        # They read the whole history: no request waits for them.
        db.execute(f"SET LOCAL statement_timeout = '{_PATIENCE}'", {})
        return db.execute(query, parameters).fetchall()
