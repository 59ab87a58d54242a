"""Invoices, their payments and refunds.

Revision ID: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    _make_invoices()
    _make_payments()
    _make_refunds()


def _make_invoices() -> None:
    op.create_table(
        "invoices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("amount_micro", sa.BigInteger(), nullable=False),
        sa.Column("tolerance_micro", sa.BigInteger(), nullable=False),
        sa.Column("accept_late", sa.Boolean(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("received_micro", sa.BigInteger(), nullable=False),
        sa.Column("refunded_micro", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('PENDING', 'CONFIRMING', 'PAID', 'EXPIRED', 'CANCELLED',"
            " 'PARTIALLY_REFUNDED', 'REFUNDED')",
            name=op.f("ck_invoices_state"),
        ),
        sa.CheckConstraint(
            "amount_micro > 0 AND tolerance_micro >= 0 AND tolerance_micro < amount_micro"
            " AND received_micro >= 0 AND refunded_micro >= 0"
            " AND refunded_micro <= received_micro",
            name=op.f("ck_invoices_amounts"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_invoices_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
    )
    op.create_index("ix_invoices_user", "invoices", ["user_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_invoices_user_state",
        "invoices",
        ["user_id", "state", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_invoices_ending",
        "invoices",
        ["user_id", "expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'PENDING'"),
    )
    # What was asked for stays what was asked for.
    op.execute("REVOKE UPDATE, DELETE ON invoices FROM protonpay_app")
    op.execute(
        "GRANT UPDATE (state, received_micro, refunded_micro, late, paid_at, ended_at)"
        " ON invoices TO protonpay_app"
    )


def _make_payments() -> None:
    op.create_table(
        "invoice_payments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("payer_id", sa.Text(), nullable=True),
        sa.Column("incoming_id", sa.Text(), nullable=True),
        sa.Column("network", sa.Text(), nullable=True),
        sa.Column("tx_hash", sa.Text(), nullable=True),
        sa.Column("sender", sa.Text(), nullable=True),
        sa.Column("amount_micro", sa.BigInteger(), nullable=False),
        sa.Column("commission_micro", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("credited_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('SEEN', 'CREDITED', 'VANISHED')", name=op.f("ck_invoice_payments_state")
        ),
        sa.CheckConstraint(
            "amount_micro > 0 AND commission_micro >= 0 AND commission_micro <= amount_micro",
            name=op.f("ck_invoice_payments_amounts"),
        ),
        sa.CheckConstraint(
            "CASE method WHEN 'BALANCE' THEN payer_id IS NOT NULL AND incoming_id IS NULL"
            " WHEN 'CRYPTO' THEN num_nulls(network, tx_hash, incoming_id) = 0"
            " AND payer_id IS NULL ELSE false END",
            name=op.f("ck_invoice_payments_whole"),
        ),
        *_belongs("invoice_payments"),
        sa.ForeignKeyConstraint(
            ["incoming_id"], ["incoming.id"], name=op.f("fk_invoice_payments_incoming_id")
        ),
        sa.UniqueConstraint("incoming_id", name=op.f("uq_invoice_payments_incoming_id")),
    )
    op.create_index(
        "uq_invoice_payments_balance",
        "invoice_payments",
        ["invoice_id"],
        unique=True,
        postgresql_where=sa.text("method = 'BALANCE'"),
    )
    _index("invoice_payments", "invoice", "owner", "payer")
    op.execute("REVOKE DELETE ON invoice_payments FROM protonpay_app")


def _make_refunds() -> None:
    op.create_table(
        "invoice_refunds",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("payer_id", sa.Text(), nullable=True),
        sa.Column("payout_id", sa.Text(), nullable=True),
        sa.Column("amount_micro", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('PENDING', 'COMPLETED', 'FAILED')", name=op.f("ck_invoice_refunds_state")
        ),
        sa.CheckConstraint("amount_micro > 0", name=op.f("ck_invoice_refunds_amounts")),
        sa.CheckConstraint(
            "num_nonnulls(payer_id, payout_id) = 1", name=op.f("ck_invoice_refunds_whole")
        ),
        *_belongs("invoice_refunds"),
        sa.ForeignKeyConstraint(
            ["payout_id"], ["payouts.id"], name=op.f("fk_invoice_refunds_payout_id")
        ),
        sa.UniqueConstraint("payout_id", name=op.f("uq_invoice_refunds_payout_id")),
    )
    _index("invoice_refunds", "invoice", "payer")
    op.create_index(
        "ix_invoice_refunds_owner",
        "invoice_refunds",
        ["owner_id", "created_at", "id"],
        unique=False,
        postgresql_where=sa.text("payer_id IS NOT NULL"),
    )
    op.execute("REVOKE UPDATE, DELETE ON invoice_refunds FROM protonpay_app")
    op.execute("GRANT UPDATE (state, ended_at) ON invoice_refunds TO protonpay_app")


def _belongs(table: str) -> list[sa.schema.Constraint]:
    users = [
        sa.ForeignKeyConstraint([column], ["users.id"], name=op.f(f"fk_{table}_{column}"))
        for column in ("owner_id", "payer_id")
    ]
    return [
        *users,
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f(f"fk_{table}_invoice_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def _index(table: str, *names: str) -> None:
    for name in names:
        op.create_index(
            f"ix_{table}_{name}", table, [f"{name}_id", "created_at", "id"], unique=False
        )
