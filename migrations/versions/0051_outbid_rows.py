"""The outbox finds the rows that ask for dearer bytes of an attempt, too.

Revision ID: 0051
"""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"


def upgrade() -> None:
    op.drop_index("ix_outbox_attempt", "outbox")
    op.create_index(
        "ix_outbox_attempt",
        "outbox",
        [sa.text("(args ->> 'attempt_id')")],
        postgresql_where=sa.text(
            "job IN ('payouts.broadcast', 'payouts.confirm', 'payouts.outbid') AND done_at IS NULL"
        ),
    )
