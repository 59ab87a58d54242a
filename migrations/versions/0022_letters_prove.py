"""Tokens sent by letter, the language of letters, frozen withdrawals, when a session was used.

Revision ID: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("users", sa.Column("language", sa.Text(), nullable=False, server_default="en"))
    op.alter_column("users", "language", server_default=None)
    op.add_column("users", sa.Column("withdrawals_frozen_at", moment, nullable=True))
    op.add_column("auth_sessions", sa.Column("used_at", moment, nullable=True))
    op.execute("UPDATE auth_sessions SET used_at = created_at")
    op.alter_column("auth_sessions", "used_at", nullable=False)
    op.create_table(
        "email_tokens",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.CheckConstraint(
            "purpose IN ('VERIFY', 'CHANGE', 'RESET', 'FREEZE')",
            name=op.f("ck_email_tokens_purpose"),
        ),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_email_tokens_digest")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_email_tokens_user_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_email_tokens")),
    )
    op.create_index("ix_email_tokens_user_id", "email_tokens", ["user_id", "purpose", "created_at"])
    op.create_index("ix_email_tokens_expires_at", "email_tokens", ["expires_at"])
