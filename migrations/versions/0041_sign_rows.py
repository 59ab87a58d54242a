"""Find the open rows of the jobs that sign by the payout they speak of.

Revision ID: 0041
"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    op.create_index(
        "ix_outbox_sign",
        "outbox",
        [sa.text("(args ->> 'payout_id')")],
        postgresql_where=sa.text("job = 'payouts.sign' AND done_at IS NULL"),
    )
