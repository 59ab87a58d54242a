"""API keys with a new secret while the old one still opens, and what each was used for last.

Revision ID: 0061
"""

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0060"


def upgrade() -> None:
    for name in ("last_used_method", "last_used_route", "last_used_agent"):
        op.add_column("api_keys", sa.Column(name, sa.Text(), nullable=True))
    op.create_table(
        "api_key_retiring_secrets",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["key_id"], ["api_keys.id"], name=op.f("fk_api_key_retiring_secrets_key_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by"], ["users.id"], name=op.f("fk_api_key_retiring_secrets_made_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key_retiring_secrets")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_key_retiring_secrets_key_hash")),
    )
    op.create_index(
        "ix_api_key_retiring_secrets_key_id", "api_key_retiring_secrets", ["key_id", "ends_at"]
    )
    # What a key may do is still said once, when it is made.
    op.execute(
        "GRANT UPDATE (prefix, key_hash, made_by, last_used_method, last_used_route,"
        " last_used_agent) ON api_keys TO protonpay_app"
    )
    op.execute("REVOKE UPDATE ON api_key_retiring_secrets FROM protonpay_app")
    op.execute("GRANT UPDATE (last_used_at) ON api_key_retiring_secrets TO protonpay_app")
