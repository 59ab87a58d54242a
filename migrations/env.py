"""Alembic's entry: migrations run as the owner of the tables, not as the program's role."""

from alembic import context
from sqlalchemy import create_engine, pool

from config import Config
from protonpay.store.db import Base, driver_url


def _run() -> None:
    url = context.config.attributes.get("database_url") or Config.load().database_url
    # One connection, and no wait for ever behind a forgotten session.
    engine = create_engine(
        driver_url(url),
        poolclass=pool.NullPool,
        connect_args={"options": "-c lock_timeout=10s -c statement_timeout=0"},
    )
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            compare_type=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


_run()
