"""Switches of the rails, what the signer has signed of late, and what was compared.

Revision ID: 0016
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    _rails()
    _ceilings()
    _reconciliation()
    _holds()


def _rails() -> None:
    switches = op.create_table(
        "rail_switches",
        sa.Column("rail", sa.Text(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("changed_by", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "num_nulls(reason, changed_by, changed_at) IN (0, 3)"
            " AND (NOT paused OR reason IS NOT NULL)",
            name=op.f("ck_rail_switches_explained"),
        ),
        sa.PrimaryKeyConstraint("rail", name=op.f("pk_rail_switches")),
    )
    op.create_table(
        "rail_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("rail", sa.Text(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rail_changes")),
    )
    op.execute("REVOKE DELETE ON rail_switches FROM protonpay_app")
    op.execute("REVOKE UPDATE, DELETE ON rail_changes FROM protonpay_app")
    rails = ("Solana", "Base", "Polygon", "tap", "yookassa", "freedompay")
    op.bulk_insert(switches, [{"rail": rail, "paused": False} for rail in rails])


def _ceilings() -> None:
    op.create_table(
        "signed_minutes",
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("micro", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("micro > 0", name=op.f("ck_signed_minutes_above_zero")),
        sa.PrimaryKeyConstraint("network", "minute", name=op.f("pk_signed_minutes")),
    )


def _reconciliation() -> None:
    op.create_table(
        "reconciliation_cases",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("rail", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("seen_in", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('SEEN', 'OPEN', 'RESOLVED')", name=op.f("ck_reconciliation_cases_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_cases")),
    )
    op.create_index(
        "uq_reconciliation_cases_standing",
        "reconciliation_cases",
        ["rail", "kind", "subject"],
        unique=True,
        postgresql_where=sa.text("state <> 'RESOLVED'"),
    )
    op.create_table(
        "reconciliation_passes",
        sa.Column("rail", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("at", postgresql.JSONB(), nullable=True),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("compared", sa.BigInteger(), nullable=False),
        sa.Column("unknown", sa.BigInteger(), nullable=False),
        sa.Column("ours_micro", sa.BigInteger(), nullable=False),
        sa.Column("theirs_micro", sa.BigInteger(), nullable=False),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("busy_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_compared", sa.BigInteger(), nullable=True),
        sa.Column("last_ours_micro", sa.BigInteger(), nullable=True),
        sa.Column("last_theirs_micro", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "result IN ('ok', 'differs', 'unknown')", name=op.f("ck_reconciliation_passes_result")
        ),
        sa.PrimaryKeyConstraint("rail", name=op.f("pk_reconciliation_passes")),
    )


_PAYOUT_STATES = ("PENDING", "SIGNED", "FAILED", "COMPLETED", "ON_HOLD", "SENT")
_DEPOSIT_STATES = (
    "PENDING",
    "CONFIRMED",
    "FAILED",
    "EXPIRED",
    "REVIEW",
    "VANISHED",
    "ON_HOLD",
    "CLOSED",
    "RETURNED",
    "PARTIALLY_REFUNDED",
    "REFUNDED",
)
_PAYMENT_STATES = ("SEEN", "CREDITED", "VANISHED", "ON_HOLD", "RETURNED")
_STATES = {
    "payouts": _PAYOUT_STATES,
    "deposits": _DEPOSIT_STATES,
    "invoice_payments": _PAYMENT_STATES,
}


def _holds() -> None:
    for table, states in _STATES.items():
        op.drop_constraint(op.f(f"ck_{table}_state"), table, type_="check")
        listed = ", ".join(f"'{state}'" for state in states)
        op.create_check_constraint(op.f(f"ck_{table}_state"), table, f"state IN ({listed})")
        op.create_index(
            f"ix_{table}_on_hold",
            table,
            ["created_at"],
            postgresql_where=sa.text("state = 'ON_HOLD'"),
        )
    op.add_column("payouts", sa.Column("source", sa.Text(), nullable=True))
    op.add_column("payouts", sa.Column("hold_reason", sa.Text(), nullable=True))
    op.add_column(
        "payouts", sa.Column("cleared", sa.Boolean(), server_default="false", nullable=False)
    )
    op.add_column("invoice_payments", sa.Column("hold_reason", sa.Text(), nullable=True))
    for table in ("deposits", "invoice_payments"):
        op.add_column(table, sa.Column("return_payout_id", sa.Text(), nullable=True))
        name = op.f(f"fk_{table}_return_payout_id")
        op.create_foreign_key(name, table, "payouts", ["return_payout_id"], ["id"])
