"""Documents of identity checks.

Revision ID: 0040
"""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "kyc_documents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_at", moment, nullable=False),
        sa.Column("submitted_at", moment, nullable=True),
        sa.Column("dropped_at", moment, nullable=True),
        sa.CheckConstraint("size_bytes > 0", name=op.f("ck_kyc_documents_size_bytes")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_kyc_documents_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kyc_documents")),
    )
    # Ciphertext does not get shorter; kept as it is, its beginning is read without the rest.
    op.execute("ALTER TABLE kyc_documents ALTER COLUMN content SET STORAGE EXTERNAL")
    op.create_index("ix_kyc_documents_user_id", "kyc_documents", ["user_id", "uploaded_at", "id"])
    op.create_index(
        "ix_kyc_documents_kept",
        "kyc_documents",
        ["uploaded_at"],
        postgresql_where=sa.text("dropped_at IS NULL"),
    )
