"""One try at a time while an endpoint fails, and tries that leave the schedule alone.

Revision ID: 0031
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column(
        "webhook_lanes", sa.Column("failures", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("webhook_lanes", sa.Column("probe_at", moment))
    op.add_column("webhook_deliveries", sa.Column("resent_from", sa.Text()))
    op.add_column("webhook_deliveries", sa.Column("resent_due_at", moment))
    op.add_column(
        "webhook_attempts",
        sa.Column("manual", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
