"""An attempt may carry several payouts: which, and what became of each.

Revision ID: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "attempted_payouts",
        sa.Column("attempt_id", sa.BigInteger(), nullable=False),
        sa.Column("payout_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('OPEN', 'LANDED', 'FAILED', 'LOST')",
            name=op.f("ck_attempted_payouts_state"),
        ),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["payout_attempts.id"], name=op.f("fk_attempted_payouts_attempt_id")
        ),
        sa.ForeignKeyConstraint(
            ["payout_id"], ["payouts.id"], name=op.f("fk_attempted_payouts_payout_id")
        ),
        sa.PrimaryKeyConstraint("attempt_id", "payout_id", name=op.f("pk_attempted_payouts")),
    )
    op.create_index(
        "uq_attempted_payouts_open",
        "attempted_payouts",
        ["payout_id"],
        unique=True,
        postgresql_where=sa.text("state = 'OPEN'"),
    )
    op.create_index("ix_attempted_payouts_payout", "attempted_payouts", ["payout_id"])
    op.execute(
        "INSERT INTO attempted_payouts (attempt_id, payout_id, state, reason, ended_at)"
        " SELECT id, payout_id, state, reason, ended_at FROM payout_attempts"
    )
    op.drop_index("uq_payout_attempts_open", "payout_attempts")
    op.drop_index("ix_payout_attempts_payout", "payout_attempts")
    op.alter_column("payout_attempts", "payout_id", nullable=True)
    # Work on its way speaks of attempts now, not of payouts.
    op.execute(
        "UPDATE outbox SET args = jsonb_build_object('attempt_id', a.id) FROM payout_attempts a"
        " WHERE outbox.job IN ('payouts.broadcast', 'payouts.confirm')"
        " AND a.payout_id = outbox.args ->> 'payout_id' AND a.state = 'OPEN'"
        " AND outbox.done_at IS NULL"
    )
