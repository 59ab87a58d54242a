"""Refunds of card deposits, the debts they may leave, and what differs in a payment under review.

Revision ID: 0015
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"

_STATES = (
    "PENDING",
    "CONFIRMED",
    "FAILED",
    "EXPIRED",
    "REVIEW",
    "VANISHED",
    "CLOSED",
    "PARTIALLY_REFUNDED",
    "REFUNDED",
)


def upgrade() -> None:
    # Escaped: SQLAlchemy reads ":name" as a parameter.
    op.execute(Path(__file__).with_suffix(".sql").read_text().replace(":", r"\:"))
    for column in ("refunded_minor", "refunded_micro"):
        op.add_column(
            "deposits", sa.Column(column, sa.BigInteger(), server_default="0", nullable=False)
        )
    op.add_column("deposits", sa.Column("differences", postgresql.JSONB(), nullable=True))
    op.drop_constraint(op.f("ck_deposits_state"), "deposits", type_="check")
    states = ", ".join(f"'{state}'" for state in _STATES)
    op.create_check_constraint(op.f("ck_deposits_state"), "deposits", f"state IN ({states})")
    op.create_check_constraint(
        op.f("ck_deposits_refunded"),
        "deposits",
        "refunded_minor BETWEEN 0 AND fiat_minor"
        " AND refunded_micro BETWEEN 0 AND amount_micro - commission_micro",
    )
    op.create_index(
        "ix_deposits_review",
        "deposits",
        ["created_at"],
        postgresql_where=sa.text("state = 'REVIEW'"),
    )
    # Until now nobody looked at a deposit again once it had ended.
    op.execute(
        """
        INSERT INTO outbox (job, args, due_at, fence, failures, created_at)
        SELECT 'deposits.card_check', jsonb_build_object('deposit_id', d.id),
               now() + interval '1 hour', 0, 0, now()
        FROM deposits d
        WHERE d.provider_ref IS NOT NULL AND d.state <> 'PENDING'
        AND d.created_at > now() - interval '180 days'
        AND NOT EXISTS (
            SELECT FROM outbox o WHERE o.job = 'deposits.card_check' AND o.done_at IS NULL
            AND o.args ->> 'deposit_id' = d.id)
        """
    )
