"""The event log: a number for each event of an account, by months.

Revision ID: 0023
"""

from pathlib import Path

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    # Escaped: SQLAlchemy reads ":name" as a parameter.
    op.execute(Path(__file__).with_suffix(".sql").read_text().replace(":", r"\:"))
