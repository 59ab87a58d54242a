"""A test payment may be one that a reorganisation takes away again.

Revision ID: 0072
"""

import sqlalchemy as sa
from alembic import op

revision = "0072"
down_revision = "0071"


def upgrade() -> None:
    op.add_column(
        "test_payments",
        sa.Column("vanishes", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
