"""People and their plans.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("standing IN ('ACTIVE', 'SUSPENDED')", name=op.f("ck_users_standing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email_key", name=op.f("uq_users_email_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_users_public_id")),
    )
    op.create_table(
        "plans",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("withdrawal_fees", postgresql.JSONB(), nullable=False),
        sa.Column("withdrawal_fee_bps", sa.Integer(), nullable=False),
        sa.Column("transfer_fee_micro", sa.BigInteger(), nullable=False),
        sa.Column("deposit_commission_bps", sa.Integer(), nullable=False),
        sa.Column("single_limit_micro", sa.BigInteger(), nullable=False),
        sa.Column("daily_limit_micro", sa.BigInteger(), nullable=False),
        sa.Column("cooldown_seconds", sa.Integer(), nullable=False),
        sa.Column("needs_verified_email", sa.Boolean(), nullable=False),
        sa.Column("needs_kyc", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_plans")),
    )
    op.execute(
        """
        INSERT INTO plans (name, withdrawal_fees, withdrawal_fee_bps, transfer_fee_micro,
                           deposit_commission_bps, single_limit_micro, daily_limit_micro,
                           cooldown_seconds, needs_verified_email, needs_kyc)
        VALUES ('default', '{"Solana": 10000, "Base": 50000, "Polygon": 20000}', 0, 0,
                0, 10000000000, 50000000000, 60, false, false)
        """
    )
