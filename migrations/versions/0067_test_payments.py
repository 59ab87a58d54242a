"""Payments of a sandbox's wallet outside; in production the table stays empty.

Revision ID: 0067
"""

import sqlalchemy as sa
from alembic import op

revision = "0067"
down_revision = "0066"


def upgrade() -> None:
    op.create_table(
        "test_payments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("amount_micro", sa.BigInteger(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tx_hash", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('PENDING', 'SENDING', 'SENT', 'FAILED', 'UNKNOWN')",
            name=op.f("ck_test_payments_state"),
        ),
        sa.CheckConstraint("amount_micro > 0", name=op.f("ck_test_payments_amounts")),
        sa.CheckConstraint(
            "(state = 'SENT') = (tx_hash IS NOT NULL)", name=op.f("ck_test_payments_sent")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_test_payments_user_id")),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("fk_test_payments_invoice_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_test_payments")),
    )
    op.create_index("ix_test_payments_user", "test_payments", ["user_id", "created_at", "id"])
    # Whom it was for never changes: what is sent is what was asked for.
    op.execute("REVOKE UPDATE, DELETE ON test_payments FROM protonpay_app")
    op.execute("GRANT UPDATE (state, tx_hash, ended_at) ON test_payments TO protonpay_app")
