"""Migrations go forward, in one line, and end where the models are."""

import importlib
import re
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask

from protonpay.status.readiness import newest_migration
from protonpay.store.db import db

ROOT = Path(__file__).parents[2]
VERSIONS = sorted((ROOT / "migrations" / "versions").glob("[0-9]*.py"))


def test_each_follows_the_one_before():
    numbers = [path.name[:4] for path in VERSIONS]
    assert numbers == [f"{number:04d}" for number in range(1, len(VERSIONS) + 1)]
    for path, before in zip(VERSIONS[1:], numbers, strict=False):
        text = path.read_text()
        assert f'revision = "{path.name[:4]}"' in text
        assert f'down_revision = "{before}"' in text
    assert newest_migration() == numbers[-1]


def test_none_goes_back_or_drops_a_column():
    for path in VERSIONS:
        text = path.read_text()
        assert not re.search(r"def downgrade|drop_column|DROP COLUMN", text), path.name


def _is_whole(name: str | None, kind: str, _parents: object) -> bool:
    """Pass over the months that a table is parted into: made by its rows' time."""
    return kind != "table" or not re.search(r"_(rest|y\d{4}m\d{2})$", name or "")


def test_models_equal_migrations(house: Flask):
    for path in ROOT.glob("protonpay/*/models.py"):
        importlib.import_module(f"protonpay.{path.parent.name}.models")
    connection = db.session.connection()
    opts = {"compare_type": True, "include_name": _is_whole}
    context = MigrationContext.configure(connection, opts=opts)
    assert compare_metadata(context, db.metadata) == []
