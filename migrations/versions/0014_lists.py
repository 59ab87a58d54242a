"""Lists by state: what is rare in a long history is found at once.

Revision ID: 0014
"""

from alembic import op

revision = "0014"
down_revision = "0008"


def upgrade() -> None:
    op.create_index(
        "ix_deposits_user_state",
        "deposits",
        ["user_id", "state", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_payouts_user_state",
        "payouts",
        ["user_id", "state", "created_at", "id"],
        unique=False,
    )
