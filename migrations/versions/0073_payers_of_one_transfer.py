"""A transfer that several have paid names all of them.

Revision ID: 0073
"""

import sqlalchemy as sa
from alembic import op

revision = "0073"
down_revision = "0072"


def upgrade() -> None:
    op.add_column(
        "incoming",
        sa.Column("payers", sa.ARRAY(sa.Text()), nullable=False, server_default="{}"),
    )
