"""What an owner attaches to an invoice and notes about it; of what an event is.

Revision ID: 0069
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0069"
down_revision = "0068"

# Once, and by nobody but this migration: events are not rewritten.
_STAY = """
    CREATE OR REPLACE FUNCTION events_stay() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND {may}
            AND (NEW.id, NEW.user_id, NEW.name, NEW.core, NEW.happened_at{same})
                IS NOT DISTINCT FROM
                (OLD.id, OLD.user_id, OLD.name, OLD.core, OLD.happened_at{before}) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'events are not rewritten' USING ERRCODE = 'restrict_violation';
    END $$;
"""


def upgrade() -> None:
    op.add_column(
        "invoices", sa.Column("metadata", JSONB(), nullable=False, server_default=sa.text("'{}'"))
    )
    op.add_column("invoices", sa.Column("note", sa.Text(), nullable=True))
    op.execute("GRANT UPDATE (note) ON invoices TO protonpay_app")

    op.add_column("events", sa.Column("object_id", sa.Text(), nullable=True))
    op.execute(_STAY.format(may="OLD.object_id IS NULL", same="", before=""))
    # The id is the first member of what was said.
    op.execute(
        r"""
        UPDATE events SET object_id = substring(convert_from(core, 'UTF8') FROM _said)
        FROM (VALUES ('^{"event":"[a-z_.]+","data":{"id":"([^"]+)"')) AS pattern (_said)
        WHERE convert_from(core, 'UTF8') ~ _said
        """
    )
    op.execute(
        _STAY.format(may="OLD.sequence IS NULL", same=", NEW.object_id", before=", OLD.object_id")
    )
    op.create_index(
        "ix_events_object",
        "events",
        ["user_id", "object_id", "sequence"],
        postgresql_where=sa.text("object_id IS NOT NULL"),
    )
