"""Linked wallets, and the address book.

Revision ID: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "wallet_challenges",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("used_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_wallet_challenges_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_challenges")),
    )
    op.create_index("ix_wallet_challenges_user", "wallet_challenges", ["user_id", "expires_at"])
    op.create_table(
        "linked_wallets",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("unlinked_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_linked_wallets_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_linked_wallets")),
    )
    op.create_index("ix_linked_wallets_user", "linked_wallets", ["user_id", "created_at", "id"])
    op.create_index(
        "uq_linked_wallets_address",
        "linked_wallets",
        ["user_id", "network", "address"],
        unique=True,
        postgresql_where=sa.text("unlinked_at IS NULL"),
    )
    op.create_table(
        "address_book",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("usable_at", moment, nullable=False),
        sa.Column("removed_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_address_book_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_book")),
    )
    op.create_index("ix_address_book_user", "address_book", ["user_id", "created_at", "id"])
    op.create_index(
        "uq_address_book_address",
        "address_book",
        ["user_id", "network", "address"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "address_book_policies",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("only_listed", sa.Boolean(), nullable=False),
        sa.Column("changed_at", moment, nullable=False),
        sa.Column("ends_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_address_book_policies_user_id")
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_address_book_policies")),
    )
