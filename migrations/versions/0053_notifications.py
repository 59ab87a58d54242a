"""How far each person has read what happened in an account.

Revision ID: 0053
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"


def upgrade() -> None:
    op.create_table(
        "notification_positions",
        *_whose("notification_positions"),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "person_id", name="pk_notification_positions"),
    )
    op.create_table(
        "notification_reads",
        *_whose("notification_reads"),
        sa.Column("notification_id", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "account_id", "person_id", "notification_id", name="pk_notification_reads"
        ),
    )


def _whose(table: str) -> list[Any]:
    whose: list[Any] = []
    for name in ("account_id", "person_id"):
        foreign = sa.ForeignKeyConstraint([name], ["users.id"], name=f"fk_{table}_{name}")
        whose += [sa.Column(name, sa.Text(), nullable=False), foreign]
    return whose
