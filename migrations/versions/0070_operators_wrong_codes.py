"""Wrong codes that are sent for an operator are counted, as those of clients are.

Revision ID: 0070
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0070"
down_revision = "0069"


def upgrade() -> None:
    moments = postgresql.ARRAY(sa.DateTime(timezone=True))
    op.add_column(
        "operators", sa.Column("missed_at", moments, server_default=sa.text("'{}'"), nullable=False)
    )
