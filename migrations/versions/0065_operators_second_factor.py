"""An operator may have a second factor: who has their password alone is not let in.

Revision ID: 0065
"""

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0064"


def upgrade() -> None:
    op.add_column("operators", sa.Column("app_secret", sa.LargeBinary()))
    op.add_column(
        "operators", sa.Column("last_step", sa.BigInteger(), server_default="0", nullable=False)
    )
