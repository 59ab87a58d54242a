-- Events of an account, numbered without gaps, in a table of months; see ADR 21.

ALTER TABLE webhook_deliveries DROP CONSTRAINT fk_webhook_deliveries_event_id;
ALTER TABLE events RENAME TO events_before;
ALTER TABLE events_before RENAME CONSTRAINT pk_events TO pk_events_before;
DROP INDEX ix_events_waiting, ix_events_user_id;

CREATE TABLE events (
    id text NOT NULL,
    user_id text NOT NULL,
    name text NOT NULL,
    core bytea NOT NULL,
    happened_at timestamptz NOT NULL,
    sequence bigint,
    dispatched_at timestamptz,
    CONSTRAINT pk_events PRIMARY KEY (id, happened_at),
    CONSTRAINT fk_events_user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT ck_events_numbered
        CHECK (sequence > 0 AND dispatched_at IS NOT NULL OR num_nulls(sequence, dispatched_at) = 2)
) PARTITION BY RANGE (happened_at);
CREATE INDEX ix_events_sequence ON events (user_id, sequence);
CREATE INDEX ix_events_waiting ON events (happened_at, id) WHERE sequence IS NULL;

-- How many events of an account were numbered.
CREATE TABLE event_counters (
    user_id text NOT NULL,
    last bigint NOT NULL,
    CONSTRAINT pk_event_counters PRIMARY KEY (user_id),
    CONSTRAINT fk_event_counters_user_id FOREIGN KEY (user_id) REFERENCES users (id)
);

-- Makes the months of a table that are missing, from one moment's month to another's; returns the
-- names of those that cannot be made because rows of theirs are in the table for the rest.
-- Nobody but the owner writes to a month itself: what may be done is granted on the whole.
CREATE FUNCTION make_months(p_table text, p_from timestamptz, p_to timestamptz) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    v_month timestamptz := date_trunc('month', p_from);
    v_name text;
    v_blocked text[] := '{}';
BEGIN
    IF p_table NOT IN ('events', 'webhook_deliveries', 'webhook_attempts') THEN
        RAISE EXCEPTION 'no table of months: %', p_table;
    END IF;
    IF to_regclass('public.' || p_table || '_rest') IS NULL THEN
        EXECUTE format('CREATE TABLE public.%I PARTITION OF public.%I DEFAULT',
                       p_table || '_rest', p_table);
        EXECUTE format('REVOKE ALL ON public.%I FROM protonpay_app', p_table || '_rest');
    END IF;
    WHILE v_month <= p_to LOOP
        v_name := p_table || to_char(v_month, '"_y"YYYY"m"MM');
        IF to_regclass('public.' || v_name) IS NULL THEN
            BEGIN
                EXECUTE format(
                    'CREATE TABLE public.%I PARTITION OF public.%I FOR VALUES FROM (%L) TO (%L)',
                    v_name, p_table, v_month, v_month + interval '1 month');
                EXECUTE format('REVOKE ALL ON public.%I FROM protonpay_app', v_name);
            EXCEPTION WHEN check_violation THEN
                v_blocked := v_blocked || v_name;
            END;
        END IF;
        v_month := v_month + interval '1 month';
    END LOOP;
    RETURN v_blocked;
END $$;
REVOKE ALL ON FUNCTION make_months(text, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_months(text, timestamptz, timestamptz) TO protonpay_app;

SELECT make_months('events', (SELECT coalesce(min(happened_at), now()) FROM events_before),
                   now() + interval '3 months');

INSERT INTO events
SELECT id, user_id, name, core, happened_at,
       CASE WHEN dispatched_at IS NOT NULL THEN
           row_number() OVER (PARTITION BY user_id, dispatched_at IS NULL ORDER BY happened_at, id)
       END, dispatched_at
FROM events_before;
INSERT INTO event_counters
SELECT user_id, max(sequence) FROM events WHERE sequence IS NOT NULL GROUP BY user_id;
DROP TABLE events_before;

REVOKE UPDATE, DELETE ON events FROM protonpay_app;
GRANT UPDATE (sequence, dispatched_at) ON events TO protonpay_app;
REVOKE DELETE ON event_counters FROM protonpay_app;

-- Nobody rewrites what happened, its owner included; it is numbered, once.
CREATE FUNCTION events_stay() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.sequence IS NULL
        AND (NEW.id, NEW.user_id, NEW.name, NEW.core, NEW.happened_at)
            IS NOT DISTINCT FROM (OLD.id, OLD.user_id, OLD.name, OLD.core, OLD.happened_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'events are not rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER events_stay BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION events_stay();
CREATE TRIGGER events_stay_all BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_stay();
