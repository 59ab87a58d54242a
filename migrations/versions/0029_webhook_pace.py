"""How fast an endpoint wants to be told, and what each attempt said.

Revision ID: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.add_column(
        "webhook_endpoints", sa.Column("throttle_per_second", sa.SmallInteger(), nullable=True)
    )
    op.create_check_constraint(
        op.f("ck_webhook_endpoints_throttle"),
        "webhook_endpoints",
        "throttle_per_second BETWEEN 1 AND 100",
    )
    moment = sa.DateTime(timezone=True)
    op.add_column("webhook_lanes", sa.Column("paced_until", moment, nullable=True))
    op.add_column("webhook_attempts", sa.Column("url", sa.Text(), nullable=True))
    op.add_column("webhook_attempts", sa.Column("signature", sa.Text(), nullable=True))
