"""Operators and their sessions; what a proposal of an adjustment is called.

Revision ID: 0036
"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "operators",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("id", "name", "email", "email_key", "role", "password_hash")
        ),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("disabled_at", moment, nullable=True),
        sa.CheckConstraint(
            "role IN ('support', 'operator', 'finance', 'compliance', 'admin')",
            name=op.f("ck_operators_role"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operators")),
        sa.UniqueConstraint("email_key", name=op.f("uq_operators_email_key")),
    )
    op.create_table(
        "operator_sessions",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("id", "operator_id", "token_digest", "address")
        ),
        *(sa.Column(name, moment, nullable=False) for name in ("created_at", "used_at", "ends_at")),
        sa.Column("ended_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operators.id"], name=op.f("fk_operator_sessions_operator_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_sessions")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_operator_sessions_token_digest")),
    )
    op.create_index("ix_operator_sessions_operator", "operator_sessions", ["operator_id"])
    op.add_column("adjustments", sa.Column("reference", sa.Text(), nullable=True))
    op.create_unique_constraint(op.f("uq_adjustments_reference"), "adjustments", ["reference"])
