"""When a payout was free to be signed, was signed and was handed in.

Those of before have none: nobody wrote them down.

Revision ID: 0056
"""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"


def upgrade() -> None:
    for name in ("approved_at", "signed_at", "sent_at"):
        op.add_column("payouts", sa.Column(name, sa.DateTime(timezone=True)))
