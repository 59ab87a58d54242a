"""A transaction of several entries takes the locks of its last one first.

Revision ID: 0074
"""

from pathlib import Path

from alembic import op

revision = "0074"
down_revision = "0073"


def upgrade() -> None:
    # Escaped: SQLAlchemy reads ":name" as a parameter.
    op.execute(Path(__file__).with_suffix(".sql").read_text().replace(":", r"\:"))
