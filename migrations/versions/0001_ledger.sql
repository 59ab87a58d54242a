-- The book. Only the functions at the end write these tables; see docs/ledger.md.

CREATE TABLE ledger_accounts (
    id bigint GENERATED ALWAYS AS IDENTITY,
    address text NOT NULL,
    may_go_negative boolean NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_ledger_accounts PRIMARY KEY (id),
    CONSTRAINT uq_ledger_accounts_address UNIQUE (address),
    CONSTRAINT ck_ledger_accounts_users_have_a_floor
        CHECK (NOT may_go_negative OR address !~ '^user.*(available|held)$')
);

-- The only rows that are updated. fillfactor leaves room for HOT updates on the same page.
CREATE TABLE ledger_balances (
    account_id bigint NOT NULL,
    micro bigint NOT NULL DEFAULT 0,
    may_go_negative boolean NOT NULL,
    CONSTRAINT pk_ledger_balances PRIMARY KEY (account_id),
    CONSTRAINT fk_ledger_balances_account_id FOREIGN KEY (account_id) REFERENCES ledger_accounts (id),
    CONSTRAINT ck_ledger_balances_not_below_zero CHECK (micro >= 0 OR may_go_negative)
) WITH (fillfactor = 70);

-- Rows live for a second and die: vacuum by their number, not by the share of the table.
CREATE TABLE ledger_pending (
    id bigint GENERATED ALWAYS AS IDENTITY,
    account_id bigint NOT NULL,
    micro bigint NOT NULL,
    CONSTRAINT pk_ledger_pending PRIMARY KEY (id),
    CONSTRAINT fk_ledger_pending_account_id FOREIGN KEY (account_id) REFERENCES ledger_accounts (id),
    CONSTRAINT ck_ledger_pending_not_zero CHECK (micro <> 0)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 10000);
CREATE INDEX ix_ledger_pending_account_id ON ledger_pending (account_id);

CREATE TABLE journal_entries (
    id bigint GENERATED ALWAYS AS IDENTITY,
    reference text NOT NULL,
    kind text NOT NULL,
    posted_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_journal_entries PRIMARY KEY (id),
    CONSTRAINT uq_journal_entries_reference UNIQUE (reference)
);

CREATE TABLE postings (
    entry_id bigint NOT NULL,
    position smallint NOT NULL,
    source bigint NOT NULL,
    destination bigint NOT NULL,
    micro bigint NOT NULL,
    CONSTRAINT pk_postings PRIMARY KEY (entry_id, position),
    CONSTRAINT fk_postings_entry_id FOREIGN KEY (entry_id) REFERENCES journal_entries (id),
    CONSTRAINT fk_postings_source FOREIGN KEY (source) REFERENCES ledger_accounts (id),
    CONSTRAINT fk_postings_destination FOREIGN KEY (destination) REFERENCES ledger_accounts (id),
    CONSTRAINT ck_postings_above_zero CHECK (micro > 0),
    CONSTRAINT ck_postings_two_accounts CHECK (source <> destination)
);
CREATE INDEX ix_postings_source ON postings (source, entry_id);
CREATE INDEX ix_postings_destination ON postings (destination, entry_id);

-- Immutable for everybody, the owner's own slips included.
CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: correct by a new entry', TG_TABLE_NAME;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_entries
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON postings
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();

CREATE FUNCTION ledger_open(p_addresses text[], p_may_go_negative boolean[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH opened AS (
        INSERT INTO public.ledger_accounts (address, may_go_negative)
        SELECT address, negative FROM unnest(p_addresses, p_may_go_negative) AS o (address, negative)
        ON CONFLICT (address) DO NOTHING
        RETURNING id, may_go_negative)
    INSERT INTO public.ledger_balances (account_id, may_go_negative)
    SELECT id, may_go_negative FROM opened;
$$;

CREATE FUNCTION ledger_balance(p_address text) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT b.micro + coalesce(
        (SELECT sum(p.micro) FROM public.ledger_pending p WHERE p.account_id = b.account_id), 0)::bigint
    FROM public.ledger_accounts a JOIN public.ledger_balances b ON b.account_id = a.id
    WHERE a.address = p_address;
$$;

-- Fold appended rows of one account whose balance row the caller has locked; return how many.
-- Bounded, so that an account which was not folded for a day still fits into a statement's time.
CREATE FUNCTION ledger_fold_account(p_account bigint) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_folded bigint;
    v_rows integer;
BEGIN
    WITH folded AS (
        DELETE FROM public.ledger_pending p WHERE p.ctid = ANY (ARRAY(
            SELECT q.ctid FROM public.ledger_pending q WHERE q.account_id = p_account LIMIT 20000))
        RETURNING p.micro)
    SELECT coalesce(sum(micro), 0)::bigint, count(*) INTO v_folded, v_rows FROM folded;
    UPDATE public.ledger_balances b SET micro = b.micro + v_folded
    WHERE b.account_id = p_account AND v_rows > 0;
    RETURN v_rows;
END $$;

-- Post one entry. Raises PP001: a source has too little. PP002: no such account.
-- PP003: the reference stands there with other postings.
CREATE FUNCTION ledger_post(
    p_reference text, p_kind text, p_sources text[], p_destinations text[], p_micros bigint[],
    OUT entry_id bigint, OUT replayed boolean, OUT balances bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_sources bigint[];
    v_destinations bigint[];
    v_known integer;
    v_debit record;
    v_rows integer;
BEGIN
    replayed := false;
    SELECT array_agg(s.id ORDER BY p.n), array_agg(d.id ORDER BY p.n), count(*)
    INTO v_sources, v_destinations, v_known
    FROM unnest(p_sources, p_destinations) WITH ORDINALITY AS p (source, destination, n)
    JOIN public.ledger_accounts s ON s.address = p.source
    JOIN public.ledger_accounts d ON d.address = p.destination;
    IF v_known = 0 OR v_known <> cardinality(p_sources) THEN
        RAISE EXCEPTION 'an account of % was never opened', p_reference USING ERRCODE = 'PP002';
    END IF;

    -- The reference comes first: a replay has locked no balance yet.
    INSERT INTO public.journal_entries (reference, kind) VALUES (p_reference, p_kind)
    ON CONFLICT (reference) DO NOTHING RETURNING id INTO entry_id;
    IF entry_id IS NULL THEN
        SELECT e.id INTO entry_id FROM public.journal_entries e
        WHERE e.reference = p_reference AND e.kind = p_kind
        AND v_sources = ARRAY(SELECT p.source FROM public.postings p WHERE p.entry_id = e.id ORDER BY p.position)
        AND v_destinations = ARRAY(SELECT p.destination FROM public.postings p WHERE p.entry_id = e.id ORDER BY p.position)
        AND p_micros = ARRAY(SELECT p.micro FROM public.postings p WHERE p.entry_id = e.id ORDER BY p.position);
        IF entry_id IS NULL THEN
            RAISE EXCEPTION '% is taken', p_reference USING ERRCODE = 'PP003';
        END IF;
        replayed := true;
    ELSE
        INSERT INTO public.postings (entry_id, position, source, destination, micro)
        SELECT ledger_post.entry_id, p.n, p.source, p.destination, p.micro
        FROM unnest(v_sources, v_destinations, p_micros) WITH ORDINALITY AS p (source, destination, micro, n);

        -- Debits are tested, in ascending account order, so that two entries never wait for each other.
        FOR v_debit IN
            SELECT p.source AS id, sum(p.micro)::bigint AS micro
            FROM unnest(v_sources, p_micros) AS p (source, micro)
            JOIN public.ledger_accounts a ON a.id = p.source AND NOT a.may_go_negative
            GROUP BY p.source ORDER BY p.source
        LOOP
            v_rows := 1;
            LOOP
                UPDATE public.ledger_balances b SET micro = b.micro - v_debit.micro
                WHERE b.account_id = v_debit.id AND b.micro >= v_debit.micro;
                EXIT WHEN FOUND;
                IF v_rows = 0 THEN
                    RAISE EXCEPTION 'not covered' USING ERRCODE = 'PP001';
                END IF;
                -- Not covered by what is folded: lock, fold what was appended, and test again even if
                -- there was nothing: who held the lock until now may have folded it.
                PERFORM FROM public.ledger_balances b WHERE b.account_id = v_debit.id FOR NO KEY UPDATE;
                v_rows := public.ledger_fold_account(v_debit.id);
            END LOOP;
        END LOOP;

        -- Credits are appended, and so are debits of accounts without a floor: nobody waits for them.
        INSERT INTO public.ledger_pending (account_id, micro)
        SELECT p.destination, p.micro FROM unnest(v_destinations, p_micros) AS p (destination, micro)
        UNION ALL
        SELECT p.source, -p.micro FROM unnest(v_sources, p_micros) AS p (source, micro)
        JOIN public.ledger_accounts a ON a.id = p.source AND a.may_go_negative;
    END IF;

    SELECT array_agg(b.micro + coalesce(
               (SELECT sum(q.micro) FROM public.ledger_pending q WHERE q.account_id = p.source), 0)::bigint
           ORDER BY p.n)
    INTO balances
    FROM unnest(v_sources) WITH ORDINALITY AS p (source, n)
    JOIN public.ledger_balances b ON b.account_id = p.source;
END $$;

-- Fold the appended rows of up to p_accounts accounts, oldest first, and stop when it was much.
-- An account in use is left for later.
CREATE FUNCTION ledger_fold(p_accounts integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_account bigint;
    v_count integer := 0;
    v_rows integer := 0;
BEGIN
    FOR v_account IN
        SELECT p.account_id FROM public.ledger_pending p GROUP BY p.account_id ORDER BY min(p.id) LIMIT p_accounts
    LOOP
        PERFORM FROM public.ledger_balances b WHERE b.account_id = v_account FOR NO KEY UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        v_rows := v_rows + public.ledger_fold_account(v_account);
        v_count := v_count + 1;
        EXIT WHEN v_rows >= 50000;
    END LOOP;
    RETURN v_count;
END $$;

REVOKE ALL ON FUNCTION ledger_open(text[], boolean[]), ledger_balance(text), ledger_fold(integer),
    ledger_fold_account(bigint), ledger_is_append_only(),
    ledger_post(text, text, text[], text[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_open(text[], boolean[]), ledger_balance(text), ledger_fold(integer),
    ledger_post(text, text, text[], text[], bigint[]) TO protonpay_app;
REVOKE ALL ON ledger_accounts, ledger_balances, ledger_pending, journal_entries, postings FROM protonpay_app;
GRANT SELECT ON ledger_accounts, ledger_balances, ledger_pending, journal_entries, postings TO protonpay_app;
