"""Deposit addresses, incoming transfers, how far networks were watched; crypto deposits.

Revision ID: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    _make_addresses()
    _make_incoming()
    _make_watches()
    _widen_deposits()


def _make_addresses() -> None:
    op.execute("CREATE SEQUENCE deposit_address_numbers MINVALUE 0 MAXVALUE 2147482647")
    op.execute("GRANT USAGE ON SEQUENCE deposit_address_numbers TO protonpay_app")
    op.create_table(
        "deposit_addresses",
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("proof", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("holder_kind", sa.Text(), nullable=True),
        sa.Column("holder_id", sa.Text(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(holder_kind IS NULL) = (holder_id IS NULL)"
            " AND (holder_id IS NULL) = (claimed_at IS NULL)",
            name=op.f("ck_deposit_addresses_claimed_whole"),
        ),
        sa.PrimaryKeyConstraint("family", "number", name=op.f("pk_deposit_addresses")),
        sa.UniqueConstraint("family", "address", name="uq_deposit_addresses_address"),
    )
    op.create_index(
        "uq_deposit_addresses_holder",
        "deposit_addresses",
        ["holder_kind", "holder_id", "family"],
        unique=True,
        postgresql_where=sa.text("holder_id IS NOT NULL"),
    )
    op.create_index(
        "ix_deposit_addresses_free",
        "deposit_addresses",
        ["family", "number"],
        unique=False,
        postgresql_where=sa.text("holder_id IS NULL"),
    )
    # An address is what it is; only whose it is, is written later.
    op.execute("REVOKE UPDATE, DELETE ON deposit_addresses FROM protonpay_app")
    op.execute(
        "GRANT UPDATE (holder_kind, holder_id, claimed_at) ON deposit_addresses TO protonpay_app"
    )


def _make_incoming() -> None:
    op.create_table(
        "incoming",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("holder_kind", sa.Text(), nullable=False),
        sa.Column("holder_id", sa.Text(), nullable=False),
        sa.Column("amount_micro", sa.BigInteger(), nullable=False),
        sa.Column("tx_hash", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=True),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("final_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('SEEN', 'FINAL', 'VANISHED')", name=op.f("ck_incoming_state")
        ),
        sa.CheckConstraint("amount_micro > 0 AND ordinal >= 0", name=op.f("ck_incoming_amounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incoming")),
        sa.UniqueConstraint("network", "tx_hash", "ordinal", name="uq_incoming_transfer"),
    )
    op.create_index(
        "ix_incoming_holder", "incoming", ["holder_kind", "holder_id", "seen_at"], unique=False
    )
    op.create_index("ix_incoming_address", "incoming", ["network", "address"], unique=False)
    op.create_index(
        "ix_incoming_seen",
        "incoming",
        ["network", "block"],
        unique=False,
        postgresql_where=sa.text("state = 'SEEN'"),
    )
    op.execute("REVOKE DELETE ON incoming FROM protonpay_app")


def _make_watches() -> None:
    op.create_table(
        "watch_marks",
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("seen_height", sa.BigInteger(), nullable=False),
        sa.Column("again_height", sa.BigInteger(), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("busy_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("network", name=op.f("pk_watch_marks")),
    )
    op.create_table(
        "watched_accounts",
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("balance_micro", sa.BigInteger(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("active_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("network", "address", name=op.f("pk_watched_accounts")),
    )
    op.create_index(
        "ix_watched_accounts_due", "watched_accounts", ["network", "due_at"], unique=False
    )


def _widen_deposits() -> None:
    for column in ("fiat_minor", "rate_scaled", "rate_source", "rated_at"):
        op.alter_column("deposits", column, nullable=True)
    op.add_column("deposits", sa.Column("network", sa.Text(), nullable=True))
    op.add_column("deposits", sa.Column("tx_hash", sa.Text(), nullable=True))
    op.add_column("deposits", sa.Column("sender", sa.Text(), nullable=True))
    op.add_column("deposits", sa.Column("incoming_id", sa.Text(), nullable=True))
    op.create_unique_constraint("uq_deposits_incoming_id", "deposits", ["incoming_id"])
    op.create_foreign_key(
        op.f("fk_deposits_incoming_id"), "deposits", "incoming", ["incoming_id"], ["id"]
    )
    op.drop_constraint("ck_deposits_state", "deposits")
    op.create_check_constraint(
        op.f("ck_deposits_state"),
        "deposits",
        "state IN ('PENDING', 'CONFIRMED', 'FAILED', 'EXPIRED', 'REVIEW', 'VANISHED')",
    )
    op.create_check_constraint(
        op.f("ck_deposits_whole"),
        "deposits",
        "CASE method WHEN 'CARD' THEN num_nulls(provider, fiat_minor, rate_scaled, rate_source,"
        " rated_at) = 0 WHEN 'CRYPTO' THEN num_nulls(network, tx_hash, incoming_id) = 0"
        " ELSE false END",
    )
