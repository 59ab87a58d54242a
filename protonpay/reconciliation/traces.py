"""What our tables say of one transaction and of the addresses in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from protonpay.chains.registry import NETWORKS
from protonpay.kernel.money import Usdc
from protonpay.store import db

_TRANSFERS = """
    SELECT i.id, i.address, i.amount_micro, i.holder_kind || ' ' || i.holder_id, i.state,
           coalesce(d.state, p.state)
    FROM incoming i
    LEFT JOIN deposits d ON d.incoming_id = i.id
    LEFT JOIN invoice_payments p ON p.incoming_id = i.id
    WHERE i.network = %(network)s AND i.tx_hash = %(tx_hash)s ORDER BY i.ordinal
"""
_SENT = """
    SELECT 'payout', b.payout_id FROM attempted_payouts b
    JOIN payout_attempts a ON a.id = b.attempt_id
    WHERE a.network = %(network)s AND (a.tx_hash = %(tx_hash)s OR EXISTS (
        SELECT FROM outbid_sends o WHERE o.attempt_id = a.id AND o.tx_hash = %(tx_hash)s))
    UNION ALL
    SELECT 'sweep', id::text FROM sweep_batches
    WHERE network = %(network)s AND tx_hash = %(tx_hash)s LIMIT 1
"""
_HELD = """
    SELECT address, holder_kind || ' ' || holder_id FROM deposit_addresses
    WHERE family = %(family)s AND address = ANY(%(addresses)s)
"""


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer to an address of ours, as it was written down.

    Attributes:
        holder: ``user <id>`` or ``invoice <id>``.
        state: of the transfer; ``follows`` is that of its deposit or payment, None before one.
    """

    id: str
    address: str
    amount: Usdc
    holder: str
    state: str
    follows: str | None


def transfers_of(network: str, tx_hash: str) -> list[Transfer]:
    """Return what was written down of one transaction."""
    rows = db.execute(_TRANSFERS, {"network": network, "tx_hash": tx_hash})
    return [Transfer(row[0], row[1], Usdc(row[2]), *row[3:]) for row in rows]


def sent_by_us(network: str, tx_hash: str) -> tuple[str, str] | None:
    """Return ``payout`` or ``sweep`` and its id if a transaction is one that we signed."""
    row = db.execute(_SENT, {"network": network, "tx_hash": tx_hash}).fetchone()
    return None if row is None else (row[0], row[1])


def deposit_addresses(network: str, addresses: Sequence[str]) -> Mapping[str, str | None]:
    """Return which of these addresses the keyring made, each with its holder if it has one."""
    asked = {"family": NETWORKS[network].family, "addresses": list(addresses)}
    return dict(db.execute(_HELD, asked).fetchall())
