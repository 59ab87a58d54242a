"""Fees and limits that begin at a moment.

Revision ID: 0033
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.create_table(
        "plan_versions",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawal_fees", postgresql.JSONB(), nullable=False),
        sa.Column("withdrawal_fee_bps", sa.Integer(), nullable=False),
        sa.Column("transfer_fee_micro", sa.BigInteger(), nullable=False),
        sa.Column("deposit_commission_bps", sa.Integer(), nullable=False),
        sa.Column("single_limit_micro", sa.BigInteger(), nullable=False),
        sa.Column("daily_limit_micro", sa.BigInteger(), nullable=False),
        sa.Column("cooldown_seconds", sa.Integer(), nullable=False),
        sa.Column("needs_verified_email", sa.Boolean(), nullable=False),
        sa.Column("needs_kyc", sa.Boolean(), nullable=False),
        sa.CheckConstraint("starts_at > announced_at", name=op.f("ck_plan_versions_announced")),
        sa.ForeignKeyConstraint(["name"], ["plans.name"], name=op.f("fk_plan_versions_name")),
        sa.PrimaryKeyConstraint("name", "starts_at", name=op.f("pk_plan_versions")),
    )
    # What was promised stays as it was promised: another version comes after it.
    op.execute("""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON plan_versions
            FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()
    """)
    op.execute("REVOKE UPDATE, DELETE ON plan_versions FROM protonpay_app")
