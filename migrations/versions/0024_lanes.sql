-- Deliveries in tables of months, and a lane for each endpoint; see ADR 22.

ALTER TABLE webhook_attempts RENAME TO attempts_before;
ALTER TABLE attempts_before RENAME CONSTRAINT pk_webhook_attempts TO pk_attempts_before;
ALTER TABLE webhook_deliveries RENAME TO deliveries_before;
ALTER TABLE deliveries_before RENAME CONSTRAINT pk_webhook_deliveries TO pk_deliveries_before;
ALTER TABLE deliveries_before
    RENAME CONSTRAINT uq_webhook_deliveries_event_endpoint TO uq_deliveries_before;
DROP INDEX ix_webhook_attempts_delivery, ix_webhook_deliveries_due, ix_webhook_deliveries_endpoint;

-- A delivery is kept with its event; that it is the only one to its endpoint can be held so.
CREATE TABLE webhook_deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME webhook_delivery_ids),
    event_id text NOT NULL,
    event_at timestamptz NOT NULL,
    endpoint_id text NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL,
    due_at timestamptz NOT NULL,
    leased_until timestamptz,
    ended_at timestamptz,
    CONSTRAINT pk_webhook_deliveries PRIMARY KEY (id, event_at),
    CONSTRAINT uq_webhook_deliveries_event_endpoint UNIQUE (event_id, endpoint_id, event_at),
    CONSTRAINT ck_webhook_deliveries_state
        CHECK (state IN ('PENDING', 'DELIVERED', 'EXHAUSTED', 'CANCELLED')),
    CONSTRAINT fk_webhook_deliveries_endpoint_id
        FOREIGN KEY (endpoint_id) REFERENCES webhook_endpoints (id) ON DELETE CASCADE
) PARTITION BY RANGE (event_at);
CREATE INDEX ix_webhook_deliveries_lane ON webhook_deliveries (endpoint_id, due_at, id)
    WHERE state = 'PENDING';
CREATE INDEX ix_webhook_deliveries_endpoint ON webhook_deliveries (endpoint_id, id);

CREATE TABLE webhook_attempts (
    id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME webhook_attempt_ids),
    delivery_id bigint NOT NULL,
    number integer NOT NULL,
    began_at timestamptz NOT NULL,
    milliseconds integer NOT NULL,
    status integer,
    outcome text NOT NULL,
    answer_head text NOT NULL,
    CONSTRAINT pk_webhook_attempts PRIMARY KEY (id, began_at)
) PARTITION BY RANGE (began_at);
CREATE INDEX ix_webhook_attempts_delivery ON webhook_attempts (delivery_id, id);

SELECT make_months('webhook_deliveries', (SELECT coalesce(min(happened_at), now()) FROM events),
                   now() + interval '3 months');
SELECT make_months('webhook_attempts', (SELECT coalesce(min(began_at), now()) FROM attempts_before),
                   now() + interval '3 months');

INSERT INTO webhook_deliveries (id, event_id, event_at, endpoint_id, state, attempts, due_at,
                                leased_until, ended_at)
OVERRIDING SYSTEM VALUE
SELECT d.id, d.event_id, e.happened_at, d.endpoint_id, d.state, d.attempts, d.due_at,
       d.leased_until, d.ended_at
FROM deliveries_before d JOIN events e ON e.id = d.event_id;
INSERT INTO webhook_attempts (id, delivery_id, number, began_at, milliseconds, status, outcome,
                              answer_head)
OVERRIDING SYSTEM VALUE
SELECT id, delivery_id, number, began_at, milliseconds, status, outcome, answer_head
FROM attempts_before;
SELECT setval('webhook_delivery_ids', (SELECT max(id) FROM webhook_deliveries)),
       setval('webhook_attempt_ids', (SELECT max(id) FROM webhook_attempts));
DROP TABLE attempts_before, deliveries_before;

-- What stands before an endpoint.
-- due_at: not after its first pending delivery; NULL when there is none.
-- leased_until, fence: a worker has it in hand, and how often one took it.
-- served_at: when one let go of it last.
-- width: how many attempts at once; slow: it lets us wait.
-- failing_since: its first failure after its last success; blocked_since: the same of addresses
--   we do not go to; warned_at: its owner was told.
CREATE TABLE webhook_lanes (
    endpoint_id text NOT NULL,
    due_at timestamptz,
    leased_until timestamptz,
    fence integer NOT NULL DEFAULT 0,
    served_at timestamptz,
    width smallint NOT NULL DEFAULT 1,
    slow boolean NOT NULL DEFAULT false,
    failing_since timestamptz,
    blocked_since timestamptz,
    warned_at timestamptz,
    CONSTRAINT pk_webhook_lanes PRIMARY KEY (endpoint_id),
    CONSTRAINT fk_webhook_lanes_endpoint_id
        FOREIGN KEY (endpoint_id) REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
    CONSTRAINT ck_webhook_lanes_width CHECK (width > 0)
);
CREATE INDEX ix_webhook_lanes_due ON webhook_lanes (due_at) WHERE due_at IS NOT NULL;

-- Whoever makes a delivery due makes its lane due: nothing that waits can be overlooked.
CREATE FUNCTION webhook_lane_is_due() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO public.webhook_lanes AS lane (endpoint_id, due_at)
    SELECT endpoint_id, min(due_at) FROM changed
    WHERE state = 'PENDING' AND leased_until IS NULL GROUP BY endpoint_id ORDER BY endpoint_id
    ON CONFLICT (endpoint_id) DO UPDATE SET due_at = EXCLUDED.due_at
    WHERE lane.due_at IS NULL OR lane.due_at > EXCLUDED.due_at;
    RETURN NULL;
END $$;
CREATE TRIGGER lane_is_due_for_new AFTER INSERT ON webhook_deliveries
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION webhook_lane_is_due();
CREATE TRIGGER lane_is_due_again AFTER UPDATE ON webhook_deliveries
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION webhook_lane_is_due();
INSERT INTO webhook_lanes (endpoint_id, due_at)
SELECT endpoint_id, min(due_at) FROM webhook_deliveries WHERE state = 'PENDING' GROUP BY 1;

-- Drops the months of a table that ended before a moment; never those of the last month and this.
CREATE FUNCTION drop_months(p_table text, p_before timestamptz) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    v_name text;
    v_dropped text[] := '{}';
    v_last text := to_char(least(p_before, now() - interval '1 month'), '"_y"YYYY"m"MM');
BEGIN
    IF p_table NOT IN ('events', 'webhook_deliveries', 'webhook_attempts') THEN
        RAISE EXCEPTION 'no table of months: %', p_table;
    END IF;
    FOR v_name IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = ('public.' || p_table)::regclass AND c.relname ~ '_y\d{4}m\d{2}$'
          AND right(c.relname, 9) < v_last ORDER BY 1
    LOOP
        EXECUTE format('DROP TABLE public.%I', v_name);
        v_dropped := v_dropped || v_name;
    END LOOP;
    RETURN v_dropped;
END $$;
REVOKE ALL ON FUNCTION drop_months(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_months(text, timestamptz) TO protonpay_app;
