"""Switches of the rails, and what the signer has signed of late.

Revision ID: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0015"


def upgrade() -> None:
    _rails()
    _ceilings()


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
