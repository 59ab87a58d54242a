"""Corrections of the book by two people.

Revision ID: 0034
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "adjustments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("amount_micro", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", moment, nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", moment, nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('PROPOSED', 'POSTED', 'REFUSED')", name=op.f("ck_adjustments_state")
        ),
        sa.CheckConstraint(
            "amount_micro > 0 AND source <> destination", name=op.f("ck_adjustments_moves")
        ),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> proposed_by",
            name=op.f("ck_adjustments_second_person"),
        ),
        sa.CheckConstraint(
            "num_nulls(decided_by, decided_at, decision)"
            " = CASE state WHEN 'PROPOSED' THEN 3 ELSE 0 END",
            name=op.f("ck_adjustments_decided_whole"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjustments")),
    )
    op.create_index(
        "ix_adjustments_waiting",
        "adjustments",
        ["proposed_at"],
        postgresql_where=sa.text("state = 'PROPOSED'"),
    )
    op.execute("REVOKE DELETE ON adjustments FROM protonpay_app")
