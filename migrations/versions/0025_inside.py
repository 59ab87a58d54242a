"""Payouts of ours to addresses of ours stay inside.

Revision ID: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

_INDEX = "ix_incoming_unswept"
_LIES = "state = 'FINAL' AND swept_by IS NULL"


def upgrade() -> None:
    op.add_column(
        "incoming",
        sa.Column("inside", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.drop_index(_INDEX, "incoming")
    op.create_index(
        _INDEX,
        "incoming",
        ["network", "address"],
        postgresql_where=sa.text(f"{_LIES} AND NOT inside"),
    )
