"""The chain of sealed entries, daily heads over it, their trees and reserves.

Revision ID: 0018
"""

from pathlib import Path

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    # Escaped: SQLAlchemy reads ":name" as a parameter.
    op.execute(Path(__file__).with_suffix(".sql").read_text().replace(":", r"\:"))
