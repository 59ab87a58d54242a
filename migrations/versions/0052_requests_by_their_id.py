"""A logged request is found by its request id.

Revision ID: 0052
"""

from alembic import op

revision = "0052"
down_revision = "0051"


def upgrade() -> None:
    op.create_index("ix_request_log_request_id", "request_log", ["request_id"])
