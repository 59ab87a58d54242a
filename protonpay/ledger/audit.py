"""The invariants of the book, each as one query that finds what breaks it."""

from dataclasses import dataclass

from protonpay.ledger import seals
from protonpay.store import db

# What every account should hold is the sum of its postings; what it holds is its folded
# balance and its appended rows. One snapshot (one statement) sees both.
_CHECKS = {
    "balances equal postings": """
        WITH moved AS (
            SELECT account_id, sum(micro) AS micro FROM (
                SELECT destination AS account_id, micro FROM postings
                UNION ALL SELECT source, -micro FROM postings) AS p
            GROUP BY account_id),
        pending AS (
            SELECT account_id, sum(micro) AS micro FROM ledger_pending GROUP BY account_id)
        SELECT a.address, coalesce(m.micro, 0), b.micro + coalesce(p.micro, 0)
        FROM ledger_accounts a JOIN ledger_balances b ON b.account_id = a.id
        LEFT JOIN moved m ON m.account_id = a.id
        LEFT JOIN pending p ON p.account_id = a.id
        WHERE coalesce(m.micro, 0) <> b.micro + coalesce(p.micro, 0)
        LIMIT 20""",
    "all balances sum to zero": """
        SELECT 'sum', total FROM (
            SELECT (SELECT coalesce(sum(micro), 0) FROM ledger_balances)
                 + (SELECT coalesce(sum(micro), 0) FROM ledger_pending) AS total) AS t
        WHERE total <> 0""",
    "nobody is below zero": """
        SELECT a.address, b.micro FROM ledger_balances b
        JOIN ledger_accounts a ON a.id = b.account_id
        WHERE b.micro < 0 AND NOT a.may_go_negative LIMIT 20""",
    "appended debits only where there is no floor": """
        SELECT a.address, p.micro FROM ledger_pending p
        JOIN ledger_accounts a ON a.id = p.account_id
        WHERE p.micro < 0 AND NOT a.may_go_negative LIMIT 20""",
    "every entry has postings": """
        SELECT e.reference, e.kind FROM journal_entries e
        WHERE NOT EXISTS (SELECT FROM postings p WHERE p.entry_id = e.id) LIMIT 20""",
    "every account has a balance row": """
        SELECT a.address, a.id FROM ledger_accounts a
        WHERE NOT EXISTS (SELECT FROM ledger_balances b WHERE b.account_id = a.id) LIMIT 20""",
    "a hold ends once": """
        SELECT split_part(e.reference, ':', 2), count(*) FROM journal_entries e
        WHERE e.kind IN ('payout_settle', 'payout_settle_inside', 'payout_release')
        GROUP BY 1 HAVING count(*) > 1 LIMIT 20""",
    "an end moves exactly what its hold set aside": """
        SELECT split_part(e.reference, ':', 2), p.source, sum(p.micro)
        FROM journal_entries e JOIN postings p ON p.entry_id = e.id
        WHERE e.kind IN ('payout_settle', 'payout_settle_inside', 'payout_release') GROUP BY 1, 2
        EXCEPT
        SELECT split_part(e.reference, ':', 2), p.destination, sum(p.micro)
        FROM journal_entries e JOIN postings p ON p.entry_id = e.id
        WHERE e.kind = 'payout_hold' GROUP BY 1, 2 LIMIT 20""",
    "who owes has nothing to spend": """
        SELECT a.address, ledger_balance(a.address), ledger_balance(d.address)
        FROM ledger_accounts d
        JOIN ledger_accounts a ON a.address = left(d.address, -4) || 'available'
        WHERE d.address LIKE 'user:%%:debt'
        AND ledger_balance(d.address) < 0 AND ledger_balance(a.address) > 0 LIMIT 20""",
    "nobody repays more than they owe": """
        SELECT a.address, ledger_balance(a.address) FROM ledger_accounts a
        WHERE a.address LIKE 'user:%%:debt' AND ledger_balance(a.address) > 0 LIMIT 20""",
    "no more is taken back than was credited": """
        SELECT split_part(reference, ':', 2), whose, sum(micro) FROM (
            SELECT e.reference, p.micro,
                   CASE a.address WHEN 'revenue:fees' THEN 'ours' ELSE 'theirs' END AS whose
            FROM journal_entries e JOIN postings p ON p.entry_id = e.id
            JOIN ledger_accounts a ON a.id = p.source WHERE e.kind = 'card_refund'
            UNION ALL
            SELECT e.reference, -p.micro,
                   CASE a.address WHEN 'revenue:fees' THEN 'ours' ELSE 'theirs' END
            FROM journal_entries e JOIN postings p ON p.entry_id = e.id
            JOIN ledger_accounts a ON a.id = p.destination WHERE e.kind = 'card_credit') AS m
        GROUP BY 1, 2 HAVING sum(micro) > 0 LIMIT 20""",
    "users have a floor, in both tables": """
        SELECT a.address, a.may_go_negative, b.may_go_negative
        FROM ledger_accounts a JOIN ledger_balances b ON b.account_id = a.id
        WHERE a.may_go_negative <> b.may_go_negative
        OR a.may_go_negative AND a.address ~ '^user.*(available|held)$' LIMIT 20""",
    "every entry is sealed": """
        SELECT e.reference, e.id FROM journal_entries e, ledger_seal_mark m
        WHERE (e.id <= m.settled OR e.posted_at < now() - interval '1 hour')
        AND NOT EXISTS (SELECT FROM ledger_seals s WHERE s.entry_id = e.id) LIMIT 20""",
    "the chain of seals ends where its mark is": """
        SELECT 'mark', m.position, s.position FROM ledger_seal_mark m
        LEFT JOIN ledger_seals s ON s.position = (SELECT max(position) FROM ledger_seals)
        WHERE m.position <> coalesce(s.position, 0) OR m.hash <> coalesce(s.hash, m.hash)""",
}
_MOST = 20
_CHAIN = "the chain of seals holds"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not be.

    Attributes:
        detail: the rows that show it, at most twenty.
    """

    invariant: str
    detail: str


def invariants() -> list[str]:
    """Name what is checked."""
    return [*_CHECKS, _CHAIN]


def findings(*, whole_chain: bool = False) -> list[Finding]:
    """Check every invariant; an empty list means the book is sound.

    Args:
        whole_chain: verify every seal; otherwise the next part of them, so that each comes
            round in time.
    """
    found = []
    with db.transaction():
        db.execute("SET LOCAL statement_timeout = '60s'", {})
        for invariant, query in _CHECKS.items():
            rows = db.execute(query, {}).fetchall()
            if rows:
                found.append(Finding(invariant, "; ".join(f"{row[0]}: {row[1:]}" for row in rows)))
    broken = list(seals.check_all()) if whole_chain else seals.check_next()
    if broken:
        told = "; ".join(f"{one.entry} at {one.position}: {one.why}" for one in broken[:_MOST])
        found.append(Finding(_CHAIN, told))
    return found
