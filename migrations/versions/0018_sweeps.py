"""Sweeps of deposit addresses, and the transactions that carry them.

Revision ID: 0018
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"

_OPEN = sa.text("state IN ('PLANNED', 'SIGNED', 'HELD')")


def upgrade() -> None:
    _make_batches()
    _make_sweeps()
    op.add_column("incoming", sa.Column("swept_by", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_incoming_unswept",
        "incoming",
        ["network", "address"],
        unique=False,
        postgresql_where=sa.text("state = 'FINAL' AND swept_by IS NULL"),
    )


def _make_batches() -> None:
    op.create_table(
        "sweep_batches",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("tx_hash", sa.Text(), nullable=False),
        sa.Column("terms", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("fee", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('SIGNED', 'SENT', 'LANDED', 'FAILED', 'LOST')",
            name=op.f("ck_sweep_batches_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sweep_batches")),
        sa.UniqueConstraint("network", "tx_hash", name="uq_sweep_batches_tx_hash"),
    )
    op.create_index(
        "uq_sweep_batches_open",
        "sweep_batches",
        ["network"],
        unique=True,
        postgresql_where=sa.text("state IN ('SIGNED', 'SENT')"),
    )
    op.create_index(
        "ix_sweep_batches_sequence",
        "sweep_batches",
        ["network", "sender", "sequence", "id"],
        unique=False,
    )
    op.execute("REVOKE DELETE ON sweep_batches FROM protonpay_app")


def _make_sweeps() -> None:
    op.create_table(
        "sweeps",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("amount_micro", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.Column("tx_hash", sa.Text(), nullable=True),
        sa.Column("block", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('PLANNED', 'SIGNED', 'HELD', 'SWEPT')", name=op.f("ck_sweeps_state")
        ),
        sa.CheckConstraint(
            "amount_micro > 0 AND turn > 0 AND refusals >= 0", name=op.f("ck_sweeps_amounts")
        ),
        sa.CheckConstraint(
            "num_nulls(tx_hash, block) = CASE state WHEN 'SWEPT' THEN 0 ELSE 2 END",
            name=op.f("ck_sweeps_swept_by"),
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["sweep_batches.id"], name=op.f("fk_sweeps_batch_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sweeps")),
        sa.UniqueConstraint("network", "address", "turn", name="uq_sweeps_turn"),
    )
    op.create_index(
        "uq_sweeps_open", "sweeps", ["network", "address"], unique=True, postgresql_where=_OPEN
    )
    op.create_index(
        "ix_sweeps_open", "sweeps", ["network", "state", "id"], unique=False, postgresql_where=_OPEN
    )
    op.create_index(
        "ix_sweeps_swept",
        "sweeps",
        ["network", "address", "block"],
        unique=False,
        postgresql_where=sa.text("state = 'SWEPT'"),
    )
    op.create_index("ix_sweeps_batch", "sweeps", ["batch_id"], unique=False)
    # What a sweep is does not change; only how it stands.
    op.execute("REVOKE UPDATE, DELETE ON sweeps FROM protonpay_app")
    op.execute(
        "GRANT UPDATE (state, reason, refusals, batch_id, tx_hash, block, looked_at, ended_at)"
        " ON sweeps TO protonpay_app"
    )
