"""When its owner asked for a payout back: whoever would sign it next gives it back instead.

Revision ID: 0060
"""

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0059"


def upgrade() -> None:
    op.add_column("payouts", sa.Column("cancel_asked_at", sa.DateTime(timezone=True)))
