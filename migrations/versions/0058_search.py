"""A person's own movements are found by hash, address, other side and sum.

Revision ID: 0058
"""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"

_ON_CHAIN = sa.text("method = 'CRYPTO'")
_CREDITED = sa.text("(amount_micro - commission_micro)")


def upgrade() -> None:
    _by_text("payouts", "user_id", "tx_hash", sa.text("tx_hash IS NOT NULL"))
    _by_text("payouts", "user_id", "wallet_address")
    _by("payouts", "ix_payouts_amount", "user_id", "amount_micro")
    for table, owner in (("deposits", "user_id"), ("invoice_payments", "owner_id")):
        for column in ("tx_hash", "sender"):
            _by_text(table, owner, column, _ON_CHAIN)
    _by("deposits", "ix_deposits_amount", "user_id", _CREDITED)
    _by("invoice_payments", "ix_invoice_payments_amount", "owner_id", _CREDITED, _ON_CHAIN)
    _by("invoices", "ix_invoices_amount", "user_id", "amount_micro")
    op.execute(
        "CREATE INDEX ix_transfers_named ON transfers"
        " (sender_id, lower(to_identifier) text_pattern_ops, created_at, id)"
    )
    _by("transfers", "ix_transfers_from", "recipient_id", "sender_id")
    _by("transfers", "ix_transfers_sent_amount", "sender_id", "amount_micro")
    _by("transfers", "ix_transfers_received_amount", "recipient_id", "amount_micro")


def _by(
    table: str,
    name: str,
    owner: str,
    column: str | sa.TextClause,
    where: sa.TextClause | None = None,
) -> None:
    op.create_index(name, table, [owner, column, "created_at", "id"], postgresql_where=where)


def _by_text(table: str, owner: str, column: str, where: sa.TextClause | None = None) -> None:
    op.create_index(
        f"ix_{table}_{column}",
        table,
        [owner, column, "created_at", "id"],
        postgresql_ops={column: "text_pattern_ops"},
        postgresql_where=where,
    )
