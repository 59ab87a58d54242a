"""Data keys, and a salt that a new one can seal anew.

Revision ID: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.create_table(
        "data_keys",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_data_keys")),
    )
    # What is published stays as it was published, its salt included: but not the key that the
    # salt is sealed with. A wrong salt would show at once, as no leaf would have its hash.
    op.execute("""
        CREATE OR REPLACE FUNCTION proof_stays() RETURNS trigger LANGUAGE plpgsql
        SET search_path = pg_catalog, pg_temp AS $$
        DECLARE
            v_head bigint;
        BEGIN
            v_head := CASE TG_TABLE_NAME WHEN 'proof_heads' THEN to_jsonb(OLD) ->> 'number'
                                         ELSE to_jsonb(OLD) ->> 'head' END;
            IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'salt' = to_jsonb(OLD) - 'salt' THEN
                RETURN NEW;
            END IF;
            IF EXISTS (SELECT FROM public.proof_heads h
                       WHERE h.number = v_head AND h.published_at IS NOT NULL) THEN
                RAISE EXCEPTION 'head % is published', v_head;
            END IF;
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END $$;
    """)
    op.execute("GRANT UPDATE (salt) ON proof_heads TO protonpay_app")
