"""What an account had at moments that are past, kept, so that a balance of then is a short sum.

Revision ID: 0066
"""

import sqlalchemy as sa
from alembic import op

revision = "0066"
down_revision = "0065"


def upgrade() -> None:
    op.create_table(
        "balance_checkpoints",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("micro", sa.BigInteger(), nullable=False),
        sa.Column("last_before", sa.BigInteger(), nullable=False),
        sa.Column("first_from", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_balance_checkpoints_user_id")
        ),
        sa.PrimaryKeyConstraint("user_id", "at", name=op.f("pk_balance_checkpoints")),
    )
    # What is past stays as it was.
    op.execute("REVOKE UPDATE, DELETE ON balance_checkpoints FROM protonpay_app")
