"""Reads over many rooms, each in one round trip and flat in the length of the history."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from protonpay.deposits import states as deposits
from protonpay.invoices import states as payments
from protonpay.kernel.money import Usdc
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.payouts import states as payouts
from protonpay.store import db
from protonpay.store.lists import NEWEST_FIRST, WINDOW, Part
from protonpay.transfers.service import COMPLETED

_DEPOSITS = """
    SELECT id, 'DEPOSIT' AS type, amount_micro - commission_micro AS amount,
           commission_micro AS fee, refunded_micro AS refunded, method, network, state,
           'IN' AS direction, coalesce(provider, sender) AS party, tx_hash, invoice_id,
           created_at
    FROM deposits WHERE user_id = %(user)s AND state <> 'VANISHED'
"""
_PAYOUTS = """
    SELECT id, 'WITHDRAWAL' AS type, amount_micro AS amount, fee_micro AS fee, 0 AS refunded,
           'CRYPTO' AS method, network, state, 'OUT' AS direction, wallet_address AS party, tx_hash,
           NULL AS invoice_id, created_at
    FROM payouts WHERE user_id = %(user)s
"""
_SENT = """
    SELECT id, 'TRANSFER' AS type, amount_micro AS amount, fee_micro AS fee, 0 AS refunded,
           'INTERNAL' AS method, NULL AS network, 'COMPLETED' AS state, 'OUT' AS direction,
           to_identifier AS party, NULL AS tx_hash, NULL AS invoice_id, created_at
    FROM transfers WHERE sender_id = %(user)s
"""
_RECEIVED = """
    SELECT id, 'TRANSFER' AS type, amount_micro AS amount, 0 AS fee, 0 AS refunded,
           'INTERNAL' AS method, NULL AS network, 'COMPLETED' AS state, 'IN' AS direction,
           (SELECT public_id FROM users WHERE users.id = sender_id) AS party,
           NULL AS tx_hash, NULL AS invoice_id, created_at
    FROM transfers WHERE recipient_id = %(user)s
"""


# What came on chain is money from outside, whatever it was for; what goes back there is a payout.
_PAID_ON_CHAIN = """
    SELECT id, 'DEPOSIT' AS type, amount_micro - commission_micro AS amount,
           commission_micro AS fee, 0 AS refunded, method, network, state, 'IN' AS direction,
           sender AS party,
           tx_hash, invoice_id, created_at
    FROM invoice_payments
    WHERE owner_id = %(user)s AND method = 'CRYPTO' AND state <> 'VANISHED'
"""


def _between(table: str, mine: str, other: str, direction: str) -> str:
    """Return the lines of what invoices moved between two balances, as one of its sides has it."""
    return f"""
        SELECT id, 'TRANSFER' AS type, amount_micro AS amount, 0 AS fee, 0 AS refunded,
               'INTERNAL' AS method, NULL AS network, 'COMPLETED' AS state,
               '{direction}' AS direction,
               (SELECT public_id FROM users WHERE users.id = {other}) AS party,
               NULL AS tx_hash, invoice_id, created_at
        FROM {table} WHERE {mine} = %(user)s AND payer_id IS NOT NULL
    """  # noqa: S608 - the parts are constants of this file


_PAID_FROM_BALANCES = (
    _between("invoice_payments", "owner_id", "payer_id", "IN"),
    _between("invoice_payments", "payer_id", "owner_id", "OUT"),
    _between("invoice_refunds", "owner_id", "payer_id", "OUT"),
    _between("invoice_refunds", "payer_id", "owner_id", "IN"),
)


@dataclass(frozen=True, slots=True)
class _Source:
    """Where lines of one type come from.

    Attributes:
        selects: each walks one index (user, created_at, id) backwards and stops after a page.
        shown: the status a client sees for a state.
        behind: the states that a client sees as a status.
    """

    selects: tuple[str, ...]
    shown: Callable[[str], str]
    behind: Callable[[str], tuple[str, ...]]
    statuses: tuple[str, ...]


_INSIDE = (_SENT, _RECEIVED, *_PAID_FROM_BALANCES)
_SOURCES: Mapping[str, tuple[_Source, ...]] = {
    "DEPOSIT": (
        _Source((_DEPOSITS,), deposits.shown, deposits.behind, deposits.STATUSES),
        _Source((_PAID_ON_CHAIN,), payments.shown, payments.behind, payments.STATUSES),
    ),
    "WITHDRAWAL": (_Source((_PAYOUTS,), payouts.shown, payouts.behind, payouts.STATUSES),),
    "TRANSFER": (_Source(_INSIDE, str, lambda status: (status,), (COMPLETED,)),),
}
TYPES = tuple(_SOURCES)
STATUSES = tuple(
    dict.fromkeys(one for kind in _SOURCES.values() for source in kind for one in source.statuses)
)

_SHOWN: Mapping[str, Callable[[str], str]] = {
    "DEPOSIT": lambda state: deposits.shown(payments.shown(state)),
    "WITHDRAWAL": payouts.shown,
    "TRANSFER": str,
}

_TOTALS = """
    SELECT
        (SELECT coalesce(sum(amount_micro - commission_micro - refunded_micro), 0)
         FROM deposits WHERE user_id = %(user)s
         AND state IN ('CONFIRMED', 'PARTIALLY_REFUNDED', 'REFUNDED'))
        + (SELECT coalesce(sum(amount_micro - commission_micro), 0) FROM invoice_payments
           WHERE owner_id = %(user)s AND method = 'CRYPTO' AND state = 'CREDITED'),
        (SELECT coalesce(sum(amount_micro), 0) FROM payouts
         WHERE user_id = %(user)s AND state = 'COMPLETED')
"""
_SETUP = """
    SELECT email_verified_at IS NOT NULL, identity_approved_at IS NOT NULL,
           EXISTS (SELECT FROM linked_wallets WHERE user_id = users.id AND unlinked_at IS NULL),
           EXISTS (SELECT FROM second_factors WHERE user_id = users.id AND state = 'ENABLED')
    FROM users WHERE id = %(user)s
"""
_WALLET = """
    SELECT address, network FROM linked_wallets
    WHERE user_id = %(user)s AND unlinked_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Activity:
    """One line of a user's history.

    Attributes:
        party: who is on the other side, as this user may know them.
        refunded: what was taken back of ``amount``, for a deposit.
        invoice_id: the invoice that was paid or given back.
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
    invoice_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Totals:
    """What came in from outside and was not taken back, and what went out to it."""

    deposited: Usdc
    withdrawn: Usdc


@dataclass(frozen=True, slots=True)
class Setup:
    """What an account has proved of its owner."""

    email_verified: bool
    identity_approved: bool
    wallet_linked: bool
    two_fa_enabled: bool


def balance(user_id: str) -> Usdc:
    """Return what a user may spend."""
    return ledger.balance(chart.available(user_id))


def purse(user_id: str) -> tuple[Usdc, Usdc]:
    """Return what a user may spend, and what they owe after a refund took back more than that."""
    return ledger.purse(user_id)


def activity(
    user_id: str, part: Part, *, kind: str | None = None, status: str | None = None
) -> Sequence[Activity]:
    """Return a part of a user's history, newest first.

    Args:
        user_id: whose.
        part: which lines.
        kind: only those of this type (``TYPES``).
        status: only those a client sees so (``STATUSES``).
    """
    branches = [
        branch
        for name, sources in _SOURCES.items()
        if kind in (None, name)
        for source in sources
        for branch in _branches(source, status)
    ]
    if not branches:
        return []
    whole = " UNION ALL ".join(f"({branch} AND {WINDOW} {NEWEST_FIRST})" for branch in branches)
    sql = f"SELECT * FROM ({whole}) AS activity {NEWEST_FIRST}"  # noqa: S608 - of constants alone
    return [_line(row) for row in db.execute(sql, {"user": user_id, **part.as_parameters()})]


def recent(user_id: str, count: int) -> Sequence[Activity]:
    """Return the newest lines of a user's history."""
    return activity(user_id, Part(count))


def _branches(source: _Source, status: str | None) -> Iterator[str]:
    if status is None or source.statuses == (status,):
        yield from source.selects
    elif status in source.statuses:
        # One for each state: an index (user, state, created_at, id) finds what is rare, too.
        for state in source.behind(status):
            yield from (f"{select} AND state = '{state}'" for select in source.selects)


def totals(user_id: str) -> Totals:
    """Return the sums of what is final."""
    row = db.execute(_TOTALS, {"user": user_id}).fetchone() or (0, 0)
    return Totals(Usdc(int(row[0])), Usdc(int(row[1])))


def setup(user_id: str) -> Setup:
    """Return what the user has proved so far."""
    row = db.execute(_SETUP, {"user": user_id}).fetchone()
    return Setup(*row) if row else Setup(*[False] * 4)


def wallet(user_id: str) -> tuple[str | None, str | None]:
    """Return the address and network of the wallet that the user linked last, if any."""
    row = db.execute(_WALLET, {"user": user_id}).fetchone()
    return (row[0], row[1]) if row else (None, None)


def _line(row: Sequence[Any]) -> Activity:
    record_id, kind, amount, fee, refunded, method, network, state, *rest = row
    status = _SHOWN[kind](state)
    money = (Usdc(amount), Usdc(fee), Usdc(refunded))
    return Activity(record_id, kind, *money, method, network, status, *rest)
