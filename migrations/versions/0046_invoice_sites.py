"""An invoice knows where its payer goes back to, and who may frame its page.

Revision ID: 0046
"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"


def upgrade() -> None:
    op.add_column("invoices", sa.Column("redirect_url", sa.Text(), nullable=True))
    op.add_column("invoices", sa.Column("embed_origin", sa.Text(), nullable=True))
