"""Letters by which an account has sent invoices to who shall pay them.

Revision ID: 0054
"""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"


def upgrade() -> None:
    op.create_table(
        "invoice_letters",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("fk_invoice_letters_invoice_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_invoice_letters_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_letters")),
    )
    op.create_index(
        "ix_invoice_letters_invoice", "invoice_letters", ["invoice_id", "created_at", "id"]
    )
    op.create_index("ix_invoice_letters_user", "invoice_letters", ["user_id", "created_at"])
    # By these is counted how many may still be written.
    op.execute("REVOKE UPDATE, DELETE ON invoice_letters FROM protonpay_app")
