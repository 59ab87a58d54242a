"""A second factor that was lost is taken away two days after that was asked for.

Revision ID: 0068
"""

import sqlalchemy as sa
from alembic import op

revision = "0068"
down_revision = "0067"


def upgrade() -> None:
    op.create_table(
        "factor_resets",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("due_at > asked_at", name=op.f("ck_factor_resets_due_at")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_factor_resets_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_factor_resets")),
        sa.UniqueConstraint("user_id", name=op.f("uq_factor_resets_user_id")),
    )
    op.drop_constraint(op.f("ck_email_tokens_purpose"), "email_tokens", type_="check")
    op.create_check_constraint(
        op.f("ck_email_tokens_purpose"),
        "email_tokens",
        "purpose IN ('VERIFY', 'CHANGE', 'RESET', 'FREEZE', 'KEEP')",
    )
