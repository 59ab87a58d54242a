"""Reads over many rooms: what an account has, what it has proved, in one round trip each."""

from dataclasses import dataclass

from protonpay.kernel.money import Usdc
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.store import db

_TOTALS = """
    SELECT
        (SELECT coalesce(sum(amount_micro - commission_micro - refunded_micro), 0)
         FROM deposits WHERE user_id = %(user)s
         AND state IN ('CONFIRMED', 'PARTIALLY_REFUNDED', 'REFUNDED'))
        + (SELECT coalesce(sum(amount_micro - commission_micro), 0) FROM invoice_payments
           WHERE owner_id = %(user)s AND method = 'CRYPTO' AND state = 'CREDITED'),
        (SELECT coalesce(sum(amount_micro), 0) FROM payouts
         WHERE user_id = %(user)s AND state = 'COMPLETED' AND source IS NULL)
"""
# Few rows of perhaps a million: all tables have an index of whose and in which state. What is on
# its way back to a listed sender is on hold, and no withdrawal of theirs.
_ASIDE = """
    SELECT ledger_balance(%(held)s) - (
            SELECT coalesce(sum(amount_micro), 0)::bigint FROM payouts
            WHERE user_id = %(user)s AND state IN ('PENDING', 'SIGNED', 'SENT')
            AND source IS NOT NULL),
        coalesce(sum(micro) FILTER (WHERE state IN ('PENDING', 'SEEN')), 0),
        coalesce(sum(micro) FILTER (WHERE state = 'ON_HOLD'), 0)
    FROM (
        SELECT state, amount_micro - commission_micro AS micro FROM deposits
        WHERE user_id = %(user)s
        AND state IN ('PENDING', 'ON_HOLD') AND (method = 'CRYPTO' OR state = 'ON_HOLD')
        UNION ALL
        SELECT state, amount_micro - commission_micro FROM invoice_payments
        WHERE owner_id = %(user)s AND method = 'CRYPTO' AND state IN ('SEEN', 'ON_HOLD')
    ) AS coming
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
class Totals:
    """What came in from outside and was not taken back, and what went out to it."""

    deposited: Usdc
    withdrawn: Usdc


@dataclass(frozen=True, slots=True)
class Aside:
    """What is a user's and not to be spent now.

    Attributes:
        held: for withdrawals that have not ended, with their fees.
        pending: seen on chain and not final: it may still disappear.
        on_hold: came in and is under review.
    """

    held: Usdc
    pending: Usdc
    on_hold: Usdc


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


def aside(user_id: str) -> Aside:
    """Return what lies beside the balance."""
    row = db.execute(_ASIDE, {"user": user_id, "held": chart.held(user_id)}).fetchone()
    return Aside(*(Usdc(int(micro or 0)) for micro in row or (0, 0, 0)))


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
