"""Sign-ins that failed, for who owns the account: a row for each address and reason in ten minutes.

Revision ID: 0062
"""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"


def upgrade() -> None:
    op.create_table(
        "failed_sign_ins",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("count > 0", name=op.f("ck_failed_sign_ins_count")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_failed_sign_ins_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failed_sign_ins")),
        sa.UniqueConstraint(
            *("user_id", "slot", "address", "reason"), name=op.f("uq_failed_sign_ins_user_id")
        ),
    )
    op.create_index("ix_failed_sign_ins_user", "failed_sign_ins", ["user_id", "created_at", "id"])
    op.create_index("ix_failed_sign_ins_expires_at", "failed_sign_ins", ["expires_at"])
