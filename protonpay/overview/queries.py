"""Reads over many rooms, each in one round trip and flat in the length of the history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from protonpay.kernel.money import Usdc
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.store import db
from protonpay.store.lists import NEWEST_FIRST, WINDOW, Part


# Each branch walks one index (user, created_at, id) backwards and stops after a page.
def _internal(table: str, mine: str, other: str, direction: str) -> str:
    """Return the lines of what invoices moved between two balances, as one of its sides has it."""
    return f"""
        (SELECT i.id, 'TRANSFER', i.amount_micro, 0, 'INTERNAL', NULL, 'COMPLETED',
                '{direction}', u.public_id, NULL, i.invoice_id, i.created_at
         FROM (SELECT id, amount_micro, {other}, invoice_id, created_at FROM {table}
               WHERE {mine} = %(user)s AND payer_id IS NOT NULL AND {WINDOW} {NEWEST_FIRST}) i
         JOIN users u ON u.id = i.{other})
    """  # noqa: S608 - the parts are constants of this file


# What came on chain is money from outside, whatever it was for; what goes back there is a payout.
_INVOICES = f"""
    (SELECT i.id, CASE i.method WHEN 'CRYPTO' THEN 'DEPOSIT' ELSE 'TRANSFER' END,
            i.amount_micro - i.commission_micro, i.commission_micro,
            CASE i.method WHEN 'CRYPTO' THEN 'CRYPTO' ELSE 'INTERNAL' END, i.network,
            CASE WHEN i.method = 'BALANCE' THEN 'COMPLETED'
                 WHEN i.state = 'SEEN' THEN 'PENDING' ELSE 'CONFIRMED' END,
            'IN', coalesce(u.public_id, i.sender), i.tx_hash, i.invoice_id, i.created_at
     FROM (SELECT * FROM invoice_payments
           WHERE owner_id = %(user)s AND state <> 'VANISHED' AND {WINDOW} {NEWEST_FIRST}) i
     LEFT JOIN users u ON u.id = i.payer_id)
    UNION ALL {_internal("invoice_payments", "payer_id", "owner_id", "OUT")}
    UNION ALL {_internal("invoice_refunds", "owner_id", "payer_id", "OUT")}
    UNION ALL {_internal("invoice_refunds", "payer_id", "owner_id", "IN")}
"""  # noqa: S608 - the same

_ACTIVITY = f"""
    SELECT id, type, amount, fee, method, network, status, direction, party, tx_hash, invoice_id,
           created_at
    FROM (
        (SELECT id, 'DEPOSIT' AS type, amount_micro - commission_micro AS amount,
                commission_micro AS fee, method, network,
                CASE state WHEN 'REVIEW' THEN 'PENDING' ELSE state END AS status,
                'IN' AS direction, coalesce(provider, sender) AS party, tx_hash,
                NULL AS invoice_id, created_at
         FROM deposits WHERE user_id = %(user)s AND state <> 'VANISHED' AND {WINDOW} {NEWEST_FIRST})
        UNION ALL
        (SELECT id, 'WITHDRAWAL', amount_micro, fee_micro, 'CRYPTO', network,
                CASE state WHEN 'SIGNED' THEN 'PENDING' WHEN 'SENT' THEN 'PENDING' ELSE state END,
                'OUT', wallet_address, tx_hash, NULL, created_at
         FROM payouts WHERE user_id = %(user)s AND {WINDOW} {NEWEST_FIRST})
        UNION ALL
        (SELECT id, 'TRANSFER', amount_micro, fee_micro, 'INTERNAL', NULL,
                'COMPLETED', 'OUT', to_identifier, NULL, NULL, created_at
         FROM transfers WHERE sender_id = %(user)s AND {WINDOW} {NEWEST_FIRST})
        UNION ALL
        (SELECT t.id, 'TRANSFER', t.amount_micro, 0, 'INTERNAL', NULL,
                'COMPLETED', 'IN', u.public_id, NULL, NULL, t.created_at
         FROM (SELECT id, amount_micro, sender_id, created_at FROM transfers
               WHERE recipient_id = %(user)s AND {WINDOW} {NEWEST_FIRST}) t
         JOIN users u ON u.id = t.sender_id)
        UNION ALL
        {_INVOICES}
    ) AS activity
    {NEWEST_FIRST}
"""  # noqa: S608 - the parts are constants of this file

_TOTALS = """
    SELECT
        (SELECT coalesce(sum(amount_micro - commission_micro), 0) FROM deposits
         WHERE user_id = %(user)s AND state = 'CONFIRMED')
        + (SELECT coalesce(sum(amount_micro - commission_micro), 0) FROM invoice_payments
           WHERE owner_id = %(user)s AND method = 'CRYPTO' AND state = 'CREDITED'),
        (SELECT coalesce(sum(amount_micro), 0) FROM payouts
         WHERE user_id = %(user)s AND state = 'COMPLETED')
"""
_SETUP = "SELECT email_verified_at IS NOT NULL FROM users WHERE id = %(user)s"


@dataclass(frozen=True, slots=True)
class Activity:
    """One line of a user's history.

    Attributes:
        party: who is on the other side, as this user may know them.
        invoice_id: the invoice that was paid or given back.
    """

    id: str
    type: str
    amount: Usdc
    fee: Usdc
    method: str
    network: str | None
    status: str
    direction: str
    party: str | None
    tx_hash: str | None
    invoice_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Totals:
    """What ever came in from outside and what ever went out to it."""

    deposited: Usdc
    withdrawn: Usdc


def balance(user_id: str) -> Usdc:
    """Return what a user may spend."""
    return ledger.balance(chart.available(user_id))


def activity(user_id: str, part: Part) -> Sequence[Activity]:
    """Return a part of a user's history, newest first."""
    parameters = {"user": user_id, **part.as_parameters()}
    return [_line(row) for row in db.execute(_ACTIVITY, parameters)]


def recent(user_id: str, count: int) -> Sequence[Activity]:
    """Return the newest lines of a user's history."""
    return activity(user_id, Part(count))


def totals(user_id: str) -> Totals:
    """Return the sums of what is final."""
    row = db.execute(_TOTALS, {"user": user_id}).fetchone() or (0, 0)
    return Totals(Usdc(int(row[0])), Usdc(int(row[1])))


def email_verified(user_id: str) -> bool:
    """Tell whether the user has proved their address."""
    row = db.execute(_SETUP, {"user": user_id}).fetchone()
    return bool(row and row[0])


def _line(row: Sequence[object]) -> Activity:
    record_id, kind, amount, fee, *rest = row
    return Activity(record_id, kind, Usdc(amount), Usdc(fee), *rest)  # type: ignore[arg-type] # columns as selected above
