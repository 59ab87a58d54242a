"""An account's time zone; UTC until somebody says otherwise.

Revision ID: 0039
"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    op.add_column(
        "users", sa.Column("time_zone", sa.Text(), nullable=False, server_default=sa.text("'UTC'"))
    )
