"""Identity checks.

Revision ID: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column(
        "users", sa.Column("identity_approved_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_table(
        "kyc_cases",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('NONE', 'PENDING', 'APPROVED', 'REJECTED')",
            name=op.f("ck_kyc_cases_state"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_kyc_cases_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kyc_cases")),
        sa.UniqueConstraint("user_id", name=op.f("uq_kyc_cases_user_id")),
    )
    op.create_index(
        "ix_kyc_cases_waiting",
        "kyc_cases",
        ["submitted_at"],
        unique=False,
        postgresql_where=sa.text("state = 'PENDING'"),
    )
