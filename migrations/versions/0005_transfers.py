"""Transfers between users.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "transfers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sender_id", sa.Text(), nullable=False),
        sa.Column("recipient_id", sa.Text(), nullable=False),
        sa.Column("amount_micro", sa.BigInteger(), nullable=False),
        sa.Column("fee_micro", sa.BigInteger(), nullable=False),
        sa.Column("to_identifier", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "amount_micro > 0 AND fee_micro >= 0", name=op.f("ck_transfers_amounts")
        ),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["users.id"], name=op.f("fk_transfers_recipient_id")
        ),
        sa.ForeignKeyConstraint(["sender_id"], ["users.id"], name=op.f("fk_transfers_sender_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfers")),
    )
    op.create_index(
        "ix_transfers_recipient", "transfers", ["recipient_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_transfers_sender", "transfers", ["sender_id", "created_at", "id"], unique=False
    )
    # A transfer is complete from the moment it exists.
    op.execute("REVOKE UPDATE, DELETE ON transfers FROM protonpay_app")
