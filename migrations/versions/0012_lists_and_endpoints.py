"""Lists by state, and endpoints that can be described and removed.

Revision ID: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_index(
        "ix_deposits_user_state",
        "deposits",
        ["user_id", "state", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_payouts_user_state",
        "payouts",
        ["user_id", "state", "created_at", "id"],
        unique=False,
    )
    op.add_column("webhook_endpoints", sa.Column("description", sa.Text(), nullable=True))
    op.add_column(
        "webhook_endpoints", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.drop_constraint("uq_webhook_endpoints_url", "webhook_endpoints", type_="unique")
    op.create_index(
        "uq_webhook_endpoints_url",
        "webhook_endpoints",
        ["user_id", "url"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
