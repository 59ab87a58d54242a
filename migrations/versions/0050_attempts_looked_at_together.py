"""The outbox finds the rows of attempts that go along with others; who closed a case is kept.

Revision ID: 0050
"""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"


def upgrade() -> None:
    op.create_index(
        "ix_outbox_attempt",
        "outbox",
        [sa.text("(args ->> 'attempt_id')")],
        postgresql_where=sa.text(
            "job IN ('payouts.broadcast', 'payouts.confirm') AND done_at IS NULL"
        ),
    )
    op.add_column("reconciliation_cases", sa.Column("closed_by", sa.Text(), nullable=True))
