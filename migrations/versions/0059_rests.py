"""An invoice for the rest of another, and when a payer asked for one.

Revision ID: 0059
"""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"


def upgrade() -> None:
    op.add_column("invoices", sa.Column("rest_of_id", sa.Text(), nullable=True))
    op.add_column("invoices", sa.Column("rest_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        op.f("fk_invoices_rest_of_id"), "invoices", "invoices", ["rest_of_id"], ["id"]
    )
    op.create_index(
        "ix_invoices_rest_of",
        "invoices",
        ["rest_of_id", "created_at"],
        postgresql_where=sa.text("rest_of_id IS NOT NULL"),
    )
    op.execute("GRANT UPDATE (rest_asked_at) ON invoices TO protonpay_app")
