-- The chain over the book's entries, and the heads that are published of it; see docs/ledger.md.

CREATE TABLE ledger_seals (
    position bigint NOT NULL,
    entry_id bigint NOT NULL,
    hash bytea NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_ledger_seals PRIMARY KEY (position),
    CONSTRAINT uq_ledger_seals_entry_id UNIQUE (entry_id),
    CONSTRAINT fk_ledger_seals_entry_id FOREIGN KEY (entry_id) REFERENCES journal_entries (id),
    CONSTRAINT ck_ledger_seals_hash CHECK (position > 0 AND octet_length(hash) = 32)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seals
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();

-- One row: how far the chain is.
-- cut: the newest position at which everything that was visible was sealed: no entry up to it
--   depends on one beyond it.
-- settled: every entry id up to it is sealed or will never exist.
-- seen, seen_before: ids up to seen were taken by transactions before seen_before.
-- checked: how far the present walk over the chain has verified it.
CREATE TABLE ledger_seal_mark (
    id smallint NOT NULL DEFAULT 1,
    position bigint NOT NULL,
    hash bytea NOT NULL,
    cut bigint NOT NULL,
    cut_hash bytea NOT NULL,
    settled bigint NOT NULL,
    seen bigint NOT NULL,
    seen_before bigint NOT NULL,
    checked bigint NOT NULL,
    CONSTRAINT pk_ledger_seal_mark PRIMARY KEY (id),
    CONSTRAINT ck_ledger_seal_mark_one CHECK (id = 1)
);
INSERT INTO ledger_seal_mark
VALUES (1, 0, decode(repeat('00', 32), 'hex'), 0, decode(repeat('00', 32), 'hex'), 0, 0, 0, 0);

-- A transaction has its number before it takes an entry's id: so who took an id that was seen
-- has a number below the next one, and is waited for by that.
CREATE FUNCTION ledger_numbers_first() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_current_xact_id();
    RETURN NULL;
END $$;
CREATE TRIGGER numbers_first BEFORE INSERT ON journal_entries
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_numbers_first();

-- What is hashed of an entry: a JSON array of texts without spaces. NULL if there is no such entry.
CREATE FUNCTION ledger_entry_text(p_position bigint, p_entry bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_to_json(
        ARRAY[p_position::text, e.id::text, e.reference, e.kind,
              (extract(epoch FROM e.posted_at) * 1000000)::bigint::text]
        || (SELECT array_agg(v.part ORDER BY p.position, v.n)
            FROM public.postings p
            JOIN public.ledger_accounts s ON s.id = p.source
            JOIN public.ledger_accounts d ON d.id = p.destination
            CROSS JOIN LATERAL (VALUES (1, p.position::text), (2, s.address),
                                       (3, d.address), (4, p.micro::text)) AS v (n, part)
            WHERE p.entry_id = e.id))::text
    FROM public.journal_entries e WHERE e.id = p_entry;
$$;

-- Seal up to so many entries, lowest id first. One at a time: a second one does nothing.
-- An entry is sealed once it is visible, so a position does not wait for lower ids that come late:
-- they get a later one.
CREATE FUNCTION ledger_seal(p_most integer, OUT sealed integer, OUT whole boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_mark public.ledger_seal_mark;
    v_entry bigint;
    v_last bigint := 0;
    v_oldest bigint;
BEGIN
    sealed := 0;
    whole := false;
    SELECT * INTO v_mark FROM public.ledger_seal_mark FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- Before the entries are looked at: who has ended by now is seen by that look.
    v_oldest := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
    FOR v_entry IN
        SELECT e.id FROM public.journal_entries e
        WHERE e.id > v_mark.settled AND NOT EXISTS (
            SELECT FROM public.ledger_seals s WHERE s.entry_id = e.id AND s.entry_id > v_mark.settled)
        ORDER BY e.id LIMIT p_most
    LOOP
        v_mark.position := v_mark.position + 1;
        v_mark.hash := sha256(v_mark.hash
            || convert_to(public.ledger_entry_text(v_mark.position, v_entry), 'UTF8'));
        INSERT INTO public.ledger_seals (position, entry_id, hash)
        VALUES (v_mark.position, v_entry, v_mark.hash);
        v_last := v_entry;
        sealed := sealed + 1;
    END LOOP;
    whole := sealed < p_most;
    IF sealed = 0 AND v_mark.settled = v_mark.seen AND v_mark.cut = v_mark.position THEN
        RETURN;
    END IF;
    IF whole THEN
        v_mark.cut := v_mark.position;
        v_mark.cut_hash := v_mark.hash;
    END IF;
    -- A number from the future is of another server, whose transactions did not come with its dump.
    IF v_oldest >= v_mark.seen_before
        OR v_mark.seen_before > pg_snapshot_xmax(pg_current_snapshot())::text::bigint THEN
        v_mark.settled := greatest(v_mark.settled,
            CASE WHEN whole THEN v_mark.seen ELSE least(v_mark.seen, v_last) END);
        v_mark.seen := greatest(v_mark.seen, v_last);
        v_mark.seen_before := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
    END IF;
    UPDATE public.ledger_seal_mark SET position = v_mark.position, hash = v_mark.hash,
        cut = v_mark.cut, cut_hash = v_mark.cut_hash, settled = v_mark.settled,
        seen = v_mark.seen, seen_before = v_mark.seen_before;
END $$;

-- A head: what we owe everybody as of one position of the chain, and what we have.
CREATE TABLE proof_heads (
    number bigint NOT NULL,
    day date NOT NULL,
    daily boolean NOT NULL,
    taken_at timestamptz NOT NULL,
    position bigint NOT NULL,
    chain_hash bytea NOT NULL,
    root bytea NOT NULL,
    leaves bigint NOT NULL,
    total_micro bigint NOT NULL,
    debts_micro bigint NOT NULL,
    salt bytea NOT NULL,
    published_at timestamptz,
    reserves jsonb,
    reserves_hash bytea,
    previous_hash bytea,
    hash bytea,
    CONSTRAINT pk_proof_heads PRIMARY KEY (number),
    CONSTRAINT ck_proof_heads_amounts
        CHECK (position >= 0 AND leaves >= 0 AND total_micro >= 0 AND debts_micro >= 0),
    CONSTRAINT ck_proof_heads_published_whole
        CHECK (num_nulls(published_at, reserves, reserves_hash, previous_hash, hash) IN (0, 5))
);
CREATE UNIQUE INDEX uq_proof_heads_daily ON proof_heads (day) WHERE daily;

CREATE TABLE proof_leaves (
    head bigint NOT NULL,
    user_id text NOT NULL,
    place bigint NOT NULL,
    balance_micro bigint NOT NULL,
    CONSTRAINT pk_proof_leaves PRIMARY KEY (head, user_id),
    CONSTRAINT fk_proof_leaves_head FOREIGN KEY (head) REFERENCES proof_heads (number),
    CONSTRAINT ck_proof_leaves_not_below_zero CHECK (balance_micro >= 0)
);

-- Nodes of 40 bytes, hash and sum, so many to a row. Not compressed: a slice is read alone.
CREATE TABLE proof_nodes (
    head bigint NOT NULL,
    level smallint NOT NULL,
    part bigint NOT NULL,
    nodes bytea NOT NULL,
    CONSTRAINT pk_proof_nodes PRIMARY KEY (head, level, part),
    CONSTRAINT fk_proof_nodes_head FOREIGN KEY (head) REFERENCES proof_heads (number)
);
ALTER TABLE proof_nodes ALTER COLUMN nodes SET STORAGE EXTERNAL;

-- An amount that is NULL is not known: it is no zero.
CREATE TABLE proof_reserves (
    head bigint NOT NULL,
    network text NOT NULL,
    address text NOT NULL,
    role text NOT NULL,
    block bigint,
    amount_micro bigint,
    CONSTRAINT pk_proof_reserves PRIMARY KEY (head, network, address),
    CONSTRAINT fk_proof_reserves_head FOREIGN KEY (head) REFERENCES proof_heads (number),
    CONSTRAINT ck_proof_reserves_known_whole
        CHECK ((block IS NULL) = (amount_micro IS NULL) AND amount_micro >= 0)
);
CREATE INDEX ix_proof_reserves_unknown ON proof_reserves (head, network, address) WHERE amount_micro IS NULL;

-- What is published stays as it was published.
CREATE FUNCTION proof_stays() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_head bigint;
BEGIN
    v_head := CASE TG_TABLE_NAME WHEN 'proof_heads' THEN to_jsonb(OLD) ->> 'number'
                                 ELSE to_jsonb(OLD) ->> 'head' END;
    IF EXISTS (SELECT FROM public.proof_heads h WHERE h.number = v_head AND h.published_at IS NOT NULL) THEN
        RAISE EXCEPTION 'head % is published', v_head;
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER stays BEFORE UPDATE OR DELETE ON proof_heads FOR EACH ROW EXECUTE FUNCTION proof_stays();
CREATE TRIGGER stays BEFORE UPDATE OR DELETE ON proof_reserves FOR EACH ROW EXECUTE FUNCTION proof_stays();

REVOKE ALL ON FUNCTION ledger_seal(integer), ledger_entry_text(bigint, bigint), ledger_numbers_first(),
    proof_stays() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_seal(integer), ledger_entry_text(bigint, bigint) TO protonpay_app;
REVOKE ALL ON ledger_seals, ledger_seal_mark, proof_heads, proof_leaves, proof_nodes, proof_reserves
    FROM protonpay_app;
GRANT SELECT ON ledger_seals, ledger_seal_mark TO protonpay_app;
GRANT UPDATE (checked) ON ledger_seal_mark TO protonpay_app;
GRANT SELECT, INSERT ON proof_heads, proof_reserves TO protonpay_app;
GRANT UPDATE (published_at, reserves, reserves_hash, previous_hash, hash) ON proof_heads TO protonpay_app;
GRANT UPDATE (block, amount_micro) ON proof_reserves TO protonpay_app;
GRANT SELECT, INSERT, DELETE ON proof_leaves, proof_nodes TO protonpay_app;
