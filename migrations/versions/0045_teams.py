"""Members of accounts, invitations, what members did, and who made an API key.

Revision ID: 0045
"""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"

_ROLES = "role IN ('viewer', 'accountant', 'developer', 'payer', 'admin')"


def upgrade() -> None:
    _memberships()
    _invitations()
    _acts()
    op.add_column("api_keys", sa.Column("made_by", sa.Text(), nullable=True))
    op.create_foreign_key(op.f("fk_api_keys_made_by"), "api_keys", "users", ["made_by"], ["id"])


def _memberships() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "memberships",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("id", "account_id", "person_id", "role")
        ),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.CheckConstraint(_ROLES, name=op.f("ck_memberships_role")),
        sa.CheckConstraint("account_id <> person_id", name=op.f("ck_memberships_person")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["users.id"], name=op.f("fk_memberships_account_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["users.id"], name=op.f("fk_memberships_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
    )
    op.create_index(
        "uq_memberships_person",
        "memberships",
        ["account_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_memberships_account", "memberships", ["account_id", "created_at", "id"])
    op.create_index("ix_memberships_of_person", "memberships", ["person_id", "created_at", "id"])


def _invitations() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "invitations",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("id", "account_id", "email", "email_key", "role")
        ),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("invited_by", sa.Text(), nullable=False),
        sa.Column("letters", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("sent_at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.CheckConstraint(_ROLES, name=op.f("ck_invitations_role")),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_invitations_digest")),
        sa.CheckConstraint(
            "state IN ('PENDING', 'ACCEPTED', 'REVOKED')", name=op.f("ck_invitations_state")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["users.id"], name=op.f("fk_invitations_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["users.id"], name=op.f("fk_invitations_invited_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("digest", name=op.f("uq_invitations_digest")),
    )
    op.create_index(
        "uq_invitations_email",
        "invitations",
        ["account_id", "email_key"],
        unique=True,
        postgresql_where=sa.text("state = 'PENDING'"),
    )
    op.create_index("ix_invitations_account", "invitations", ["account_id", "created_at", "id"])


def _acts() -> None:
    op.create_table(
        "team_acts",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("id", "account_id", "person_id", "role", "action")
        ),
        sa.Column("thing_id", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["users.id"], name=op.f("fk_team_acts_account_id")),
        sa.ForeignKeyConstraint(["person_id"], ["users.id"], name=op.f("fk_team_acts_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team_acts")),
    )
    op.create_index("ix_team_acts_account", "team_acts", ["account_id", "created_at", "id"])
    op.execute("""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON team_acts
            FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()
    """)
    op.execute("REVOKE UPDATE, DELETE ON team_acts FROM protonpay_app")
