"""Deliveries made again, events for one endpoint alone, secrets that overlap.

Revision ID: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column(
        "webhook_deliveries",
        sa.Column("tries_before", sa.Integer(), nullable=False, server_default="0"),
    )
    op.create_index(
        "ix_webhook_deliveries_history",
        "webhook_deliveries",
        ["endpoint_id", "event_at", "event_id"],
    )
    op.add_column("events", sa.Column("audience", sa.Text(), nullable=True))
    op.create_index(
        "ix_events_audience",
        "events",
        ["audience", "happened_at"],
        postgresql_where=sa.text("audience IS NOT NULL"),
    )
    op.create_table(
        "webhook_retiring_secrets",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("endpoint_id", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("retired_at", moment, nullable=False),
        sa.Column("ends_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.id"],
            name=op.f("fk_webhook_retiring_secrets_endpoint_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_retiring_secrets")),
    )
    op.create_index(
        "ix_webhook_retiring_secrets_endpoint_id",
        "webhook_retiring_secrets",
        ["endpoint_id", "ends_at"],
    )
