"""What a payout waits for, and since when.

Revision ID: 0035
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    op.add_column("payouts", sa.Column("waits_for", sa.Text(), nullable=True))
    op.add_column("payouts", sa.Column("waits_since", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_payouts_waits"), "payouts", "(waits_for IS NULL) = (waits_since IS NULL)"
    )
    op.create_index(
        "ix_payouts_waits",
        "payouts",
        ["network"],
        postgresql_where=sa.text("waits_for IS NOT NULL"),
    )
