"""The chain of sealed entries, daily heads over it, their trees and reserves.

Revision ID: 0019
"""

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    # Escaped: SQLAlchemy reads ":name" as a parameter.
    op.execute(Path(__file__).with_suffix(".sql").read_text().replace(":", r"\:"))
