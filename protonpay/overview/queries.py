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
