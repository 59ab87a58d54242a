"""Signed bytes that dearer ones outbid are kept: any of them may land.

Revision ID: 0027
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.create_table(
        "outbid_sends",
        sa.Column("attempt_id", sa.BigInteger(), nullable=False),
        sa.Column("tx_hash", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("terms", postgresql.JSONB(), nullable=False),
        sa.Column("outbid_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["payout_attempts.id"], name=op.f("fk_outbid_sends_attempt_id")
        ),
        sa.PrimaryKeyConstraint("attempt_id", "tx_hash", name=op.f("pk_outbid_sends")),
    )
