"""Wrong codes that are sent for an operator are counted; a test payment says why it failed.

Revision ID: 0070
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0070"
down_revision = "0069"


def upgrade() -> None:
    moments = postgresql.ARRAY(sa.DateTime(timezone=True))
    op.add_column(
        "operators", sa.Column("missed_at", moments, server_default=sa.text("'{}'"), nullable=False)
    )
    op.add_column("test_payments", sa.Column("reason", sa.Text()))
    op.execute("UPDATE test_payments SET reason = 'node_refused' WHERE state = 'FAILED'")
    op.create_check_constraint(
        op.f("ck_test_payments_failed"),
        "test_payments",
        "(state = 'FAILED') = (reason IS NOT NULL)",
    )
    op.execute("GRANT UPDATE (reason) ON test_payments TO protonpay_app")
