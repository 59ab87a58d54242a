"""What API keys asked, in tables of months.

Revision ID: 0049
"""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"

_OF_MONTHS = ("make_months", "drop_months")
_BEFORE = "('events', 'webhook_deliveries', 'webhook_attempts')"
_NOW = "('events', 'webhook_deliveries', 'webhook_attempts', 'request_log')"


def upgrade() -> None:
    op.create_table(
        "request_log",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", "created_at", name="pk_request_log"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_request_log_user_id"),
        postgresql_partition_by="RANGE (created_at)",
    )
    op.create_index("ix_request_log_user", "request_log", ["user_id", "created_at", "id"])
    op.create_index(
        "ix_request_log_refused",
        "request_log",
        ["user_id", "created_at", "id"],
        postgresql_where=sa.text("status >= 400"),
    )
    _let_months_be_of(_NOW)
    op.execute("SELECT make_months('request_log', now(), now() + interval '3 months')")
    op.execute("REVOKE UPDATE, DELETE ON request_log FROM protonpay_app")


def _let_months_be_of(tables: str) -> None:
    connection = op.get_bind()
    for name in _OF_MONTHS:
        find = sa.text("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = :name")
        text = str(connection.execute(find, {"name": name}).scalar_one())
        connection.exec_driver_sql(text.replace(_BEFORE, tables).replace("%", "%%"))
