"""A chat in Telegram beside the letters: whose it is, and messages on their way.

Revision ID: 0071
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0071"
down_revision = "0070"


def upgrade() -> None:
    op.add_column(
        "users",
        sa.Column("messages", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    )
    op.create_table(
        "telegram_chats",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_telegram_chats_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_telegram_chats")),
        sa.UniqueConstraint("chat_id", name=op.f("uq_telegram_chats_chat_id")),
    )
    op.create_table(
        "telegram_codes",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_telegram_codes_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_telegram_codes")),
        sa.UniqueConstraint("digest", name=op.f("uq_telegram_codes_digest")),
    )
    op.create_table(
        "telegram_positions",
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("bot_id", name=op.f("pk_telegram_positions")),
    )
    op.create_table(
        "telegram_messages",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("useful_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('PENDING', 'SENT', 'REFUSED', 'EXPIRED', 'DROPPED')",
            name=op.f("ck_telegram_messages_state"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_telegram_messages_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_telegram_messages")),
    )
    op.create_index(
        "ix_telegram_messages_ended",
        "telegram_messages",
        ["ended_at"],
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
