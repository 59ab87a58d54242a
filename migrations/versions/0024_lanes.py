"""Deliveries in lanes and in months.

Revision ID: 0024
"""

from pathlib import Path

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    # Escaped: SQLAlchemy reads ":name" as a parameter.
    op.execute(Path(__file__).with_suffix(".sql").read_text().replace(":", r"\:"))
