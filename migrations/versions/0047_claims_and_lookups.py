"""A payer asks back what is too much or late, names a transaction, and may have more time.

Revision ID: 0047
"""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    op.add_column(
        "invoices",
        sa.Column("extensions_left", sa.SmallInteger(), nullable=False, server_default="0"),
    )
    op.alter_column("invoices", "extensions_left", server_default=None)
    op.add_column("invoices", sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True))
    # What was asked for never changes; until when may, and whether less is enough.
    op.execute(
        "GRANT UPDATE (expires_at, extensions_left, accepted_at) ON invoices TO protonpay_app"
    )
    op.create_check_constraint(op.f("ck_invoices_extensions"), "invoices", "extensions_left >= 0")
    op.create_table(
        "invoice_claims",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("amount_micro", sa.BigInteger(), nullable=False),
        sa.Column("wallet_address", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("refund_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('OPEN', 'APPROVED', 'DECLINED')", name=op.f("ck_invoice_claims_state")
        ),
        sa.CheckConstraint("amount_micro > 0", name=op.f("ck_invoice_claims_amounts")),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("fk_invoice_claims_invoice_id")
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["invoice_refunds.id"], name=op.f("fk_invoice_claims_refund_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_claims")),
        sa.UniqueConstraint("refund_id", name=op.f("uq_invoice_claims_refund_id")),
    )
    op.create_index(
        "uq_invoice_claims_open",
        "invoice_claims",
        ["invoice_id"],
        unique=True,
        postgresql_where=sa.text("state = 'OPEN'"),
    )
    op.create_index(
        "ix_invoice_claims_invoice", "invoice_claims", ["invoice_id", "created_at", "id"]
    )
    # An approved claim is what was read: its wallet never changes.
    op.execute("REVOKE UPDATE, DELETE ON invoice_claims FROM protonpay_app")
    op.execute("GRANT UPDATE (state, refund_id, ended_at) ON invoice_claims TO protonpay_app")
    op.create_table(
        "invoice_lookups",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("tx_hash", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("coin", sa.Text(), nullable=True),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('LOOKING', 'COMING', 'NOT_FOUND', 'FOUND', 'WRONG_TOKEN', 'ELSEWHERE',"
            " 'FAILED')",
            name=op.f("ck_invoice_lookups_state"),
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("fk_invoice_lookups_invoice_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_lookups")),
        sa.UniqueConstraint("invoice_id", "tx_hash", name=op.f("uq_invoice_lookups_invoice_id")),
    )
    op.create_index(
        "ix_invoice_lookups_invoice", "invoice_lookups", ["invoice_id", "created_at", "id"]
    )
    op.create_index(
        "ix_invoice_lookups_wrong",
        "invoice_lookups",
        ["created_at"],
        postgresql_where=sa.text("state = 'WRONG_TOKEN'"),
    )
