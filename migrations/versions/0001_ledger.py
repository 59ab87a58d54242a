"""The ledger: accounts, balances, entries, and the functions that alone write them.

Revision ID: 0001
"""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    # The role that every connection of the program drops to. Roles belong to the whole server,
    # so another database of it may have made this one already.
    op.execute(
        """
        DO $$
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'protonpay_app') THEN
                CREATE ROLE protonpay_app NOLOGIN;
            END IF;
            IF NOT pg_has_role(current_user, 'protonpay_app', 'SET') THEN
                EXECUTE format('GRANT protonpay_app TO %I', current_user);
            END IF;
        END $$;
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
        GRANT USAGE ON SCHEMA public TO protonpay_app;
        GRANT SELECT ON alembic_version TO protonpay_app;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public
            GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO protonpay_app;
        """
    )
    op.execute(Path(__file__).with_suffix(".sql").read_text())
