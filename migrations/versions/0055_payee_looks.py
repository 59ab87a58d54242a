"""What networks have said of addresses that somebody means to pay.

Revision ID: 0055
"""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"


def upgrade() -> None:
    op.create_table(
        "payee_looks",
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("network", "address", name=op.f("pk_payee_looks")),
        sa.CheckConstraint(
            "state IN ('LOOKING', 'WALLET', 'CONTRACT', 'UNKNOWN')",
            name=op.f("ck_payee_looks_state"),
        ),
        sa.CheckConstraint(
            "(state = 'LOOKING') = (told_at IS NULL)", name=op.f("ck_payee_looks_told")
        ),
    )
    op.create_index(op.f("ix_payee_looks_asked"), "payee_looks", ["asked_at"])
