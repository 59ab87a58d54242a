"""Payouts of ours to addresses of ours stay inside.

Revision ID: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

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
