"""Letters of what happened: which are wanted, how far they are written, and which were.

Events that have happened before are told: nobody gets letters of last year.

Revision ID: 0057
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0057"
down_revision = "0056"


def upgrade() -> None:
    op.add_column(
        "users",
        sa.Column("letters", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    )
    op.add_column(
        "event_counters",
        sa.Column("told", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.execute("UPDATE event_counters SET told = last")
    op.create_index(
        "ix_event_counters_untold",
        "event_counters",
        ["user_id"],
        postgresql_where=sa.text("told < last"),
    )
    op.create_index(
        "ix_api_keys_expiring",
        "api_keys",
        ["expires_at"],
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "notification_letters",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_notification_letters"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_notification_letters_user_id"),
    )
    op.create_index(
        "ix_notification_letters_user", "notification_letters", ["user_id", "created_at"]
    )
