"""Invoices are paid by card.

Revision ID: 0043
"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"

_WHOLE = (
    "CASE method WHEN 'BALANCE' THEN payer_id IS NOT NULL AND incoming_id IS NULL"
    " WHEN 'CRYPTO' THEN num_nulls(network, tx_hash, incoming_id) = 0 AND payer_id IS NULL"
    " WHEN 'CARD' THEN deposit_id IS NOT NULL"
    " AND num_nonnulls(payer_id, incoming_id, network) = 0 ELSE false END"
)


def upgrade() -> None:
    op.add_column("deposits", sa.Column("invoice_id", sa.Text(), nullable=True))
    for table in ("invoice_payments", "invoice_refunds"):
        op.add_column(table, sa.Column("deposit_id", sa.Text(), nullable=True))
        op.create_foreign_key(
            op.f(f"fk_{table}_deposit_id"), table, "deposits", ["deposit_id"], ["id"]
        )
        op.drop_constraint(op.f(f"ck_{table}_whole"), table)
    op.create_unique_constraint(
        op.f("uq_invoice_payments_deposit_id"), "invoice_payments", ["deposit_id"]
    )
    op.create_check_constraint(op.f("ck_invoice_payments_whole"), "invoice_payments", _WHOLE)
    op.create_check_constraint(
        op.f("ck_invoice_refunds_whole"),
        "invoice_refunds",
        "num_nonnulls(payer_id, payout_id, deposit_id) = 1",
    )
    op.create_table(
        "invoice_cards",
        sa.Column("deposit_id", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("amount_micro", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("fiat_minor", sa.BigInteger(), nullable=False),
        sa.Column("page_url", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('OPEN', 'PROCESSING', 'DECLINED', 'EXPIRED', 'REVIEW', 'PAID')",
            name=op.f("ck_invoice_cards_state"),
        ),
        sa.CheckConstraint("amount_micro > 0", name=op.f("ck_invoice_cards_amounts")),
        sa.ForeignKeyConstraint(
            ["deposit_id"], ["deposits.id"], name=op.f("fk_invoice_cards_deposit_id")
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("fk_invoice_cards_invoice_id")
        ),
        sa.PrimaryKeyConstraint("deposit_id", name=op.f("pk_invoice_cards")),
    )
    op.create_index(
        "uq_invoice_cards_alive",
        "invoice_cards",
        ["invoice_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('OPEN', 'PROCESSING', 'REVIEW')"),
    )
    op.create_index(
        "ix_invoice_cards_invoice", "invoice_cards", ["invoice_id", "created_at", "deposit_id"]
    )
