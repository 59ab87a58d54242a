"""What is read again is what the last minute's rounds read, not a minute of the chain's time.

Revision ID: 0064
"""

import sqlalchemy as sa
from alembic import op

revision = "0064"
down_revision = "0063"


def upgrade() -> None:
    op.add_column("watch_marks", sa.Column("overlap_heights", sa.ARRAY(sa.BigInteger())))
    op.execute("UPDATE watch_marks SET overlap_heights = ARRAY[height]")
    op.alter_column("watch_marks", "overlap_heights", nullable=False)
