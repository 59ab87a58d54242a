"""Who judges an identity check, and what it is asked about by.

Revision ID: 0042
"""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    # Of cases there were until now one submission is known, and people judged them.
    op.add_column("kyc_cases", sa.Column("submission", sa.Integer(), server_default="1"))
    op.add_column("kyc_cases", sa.Column("provider", sa.Text(), server_default="manual"))
    op.add_column("kyc_cases", sa.Column("reference", sa.Text(), nullable=True))
    for column in ("submission", "provider"):
        op.alter_column("kyc_cases", column, nullable=False, server_default=None)
