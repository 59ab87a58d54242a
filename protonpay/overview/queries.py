"""Reads over many rooms, each in one round trip and flat in the length of the history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from protonpay.kernel.money import Usdc
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.store import db

# Each branch walks one index (user, created_at, id) backwards and stops after a page.
_AFTER = "(CAST(%(at)s AS timestamptz) IS NULL OR (created_at, id) < (%(at)s, %(id)s))"
_PAGE = "ORDER BY created_at DESC, id DESC LIMIT %(limit)s"
_ACTIVITY = f"""
    SELECT id, type, amount, fee, refunded, method, network, status, direction, party, tx_hash,
           created_at
    FROM (
        (SELECT id, 'DEPOSIT' AS type, amount_micro - commission_micro AS amount,
                commission_micro AS fee, refunded_micro AS refunded, method, NULL AS network,
                CASE state WHEN 'REVIEW' THEN 'PENDING' WHEN 'CLOSED' THEN 'FAILED' ELSE state END
                AS status,
                'IN' AS direction, provider AS party, NULL AS tx_hash, created_at
         FROM deposits WHERE user_id = %(user)s AND {_AFTER} {_PAGE})
        UNION ALL
        (SELECT id, 'WITHDRAWAL', amount_micro, fee_micro, 0, 'CRYPTO', network,
                CASE state WHEN 'SIGNED' THEN 'PENDING' WHEN 'SENT' THEN 'PENDING' ELSE state END,
                'OUT', wallet_address, tx_hash, created_at
         FROM payouts WHERE user_id = %(user)s AND {_AFTER} {_PAGE})
        UNION ALL
        (SELECT id, 'TRANSFER', amount_micro, fee_micro, 0, 'INTERNAL', NULL,
                'COMPLETED', 'OUT', to_identifier, NULL, created_at
         FROM transfers WHERE sender_id = %(user)s AND {_AFTER} {_PAGE})
        UNION ALL
        (SELECT t.id, 'TRANSFER', t.amount_micro, 0, 0, 'INTERNAL', NULL,
                'COMPLETED', 'IN', u.public_id, NULL, t.created_at
         FROM (SELECT id, amount_micro, sender_id, created_at FROM transfers
               WHERE recipient_id = %(user)s AND {_AFTER} {_PAGE}) t
         JOIN users u ON u.id = t.sender_id)
    ) AS activity
    {_PAGE}
"""  # noqa: S608 - the parts are constants of this file

_TOTALS = """
    SELECT
        (SELECT coalesce(sum(amount_micro - commission_micro - refunded_micro), 0)
         FROM deposits WHERE user_id = %(user)s
         AND state IN ('CONFIRMED', 'PARTIALLY_REFUNDED', 'REFUNDED')),
        (SELECT coalesce(sum(amount_micro), 0) FROM payouts
         WHERE user_id = %(user)s AND state = 'COMPLETED')
"""
_SETUP = "SELECT email_verified_at IS NOT NULL FROM users WHERE id = %(user)s"


@dataclass(frozen=True, slots=True)
class Activity:
    """One line of a user's history.

    Attributes:
        party: who is on the other side, as this user may know them.
        refunded: what was taken back of ``amount``, for a deposit.
    """

    id: str
    type: str
    amount: Usdc
    fee: Usdc
    refunded: Usdc
    method: str
    network: str | None
    status: str
    direction: str
    party: str | None
    tx_hash: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Totals:
    """What came in from outside and was not taken back, and what went out to it."""

    deposited: Usdc
    withdrawn: Usdc


def balance(user_id: str) -> Usdc:
    """Return what a user may spend."""
    return ledger.balance(chart.available(user_id))


def purse(user_id: str) -> tuple[Usdc, Usdc]:
    """Return what a user may spend, and what they owe after a refund took back more than that."""
    return ledger.purse(user_id)


def activity(user_id: str, limit: int, after: tuple[datetime, str] | None) -> Sequence[Activity]:
    """Return up to ``limit`` lines, newest first, after a position."""
    at, last_id = after or (None, None)
    parameters = {"user": user_id, "limit": limit, "at": at, "id": last_id}
    return [_line(row) for row in db.execute(_ACTIVITY, parameters)]


def totals(user_id: str) -> Totals:
    """Return the sums of what is final."""
    row = db.execute(_TOTALS, {"user": user_id}).fetchone() or (0, 0)
    return Totals(Usdc(int(row[0])), Usdc(int(row[1])))


def email_verified(user_id: str) -> bool:
    """Tell whether the user has proved their address."""
    row = db.execute(_SETUP, {"user": user_id}).fetchone()
    return bool(row and row[0])


def _line(row: Sequence[object]) -> Activity:
    record_id, kind, amount, fee, refunded, *rest = row
    return Activity(record_id, kind, Usdc(amount), Usdc(fee), Usdc(refunded), *rest)  # type: ignore[arg-type] # columns as selected above
