"""Levels of identity, and the limits that they raise.

Revision ID: 0044
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    none = sa.text("'{}'")
    for table in ("plans", "plan_versions"):
        levels = sa.Column("level_limits", postgresql.JSONB(), nullable=False, server_default=none)
        op.add_column(table, levels)
    level = sa.Column("identity_level", sa.Integer(), nullable=False, server_default=sa.text("0"))
    op.add_column("users", level)
    op.execute("UPDATE users SET identity_level = 1 WHERE identity_approved_at IS NOT NULL")
    op.create_check_constraint(
        op.f("ck_users_identity_level"),
        "users",
        "identity_level = 0 OR (identity_level BETWEEN 1 AND 3"
        " AND identity_approved_at IS NOT NULL)",
    )
