"""Whether a payout needs a second person, and has got one.

Revision ID: 0037
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    op.add_column("payouts", sa.Column("approval", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_payouts_approval"), "payouts", "approval IN ('WAITING', 'GIVEN')"
    )
