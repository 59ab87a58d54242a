-- Post several entries in the order given, as ledger_post does with each; none if one is refused.
--
-- Where it can, all of them at once: nothing stands there yet, nobody owes, and what is folded
-- covers every debit. Else, and to say what is wrong, one after the other.
-- Statements, not rows, are what costs: a batch of plain entries takes six of them.
--
-- p_entries says of each posting whose it is, counted from 1. Only ways by index: a plan made while
-- the tables were small is kept for as long as the connection.
CREATE FUNCTION ledger_post_all(
    p_references text[], p_kinds text[],
    p_entries integer[], p_sources text[], p_destinations text[], p_micros bigint[])
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    v_sources bigint[];
    v_destinations bigint[];
    v_ids bigint[];
    v_floored bigint[];
    v_debits bigint[];
    v_rows integer;
BEGIN
    BEGIN
        -- Who owes, and what makes a debt, is for ledger_post.
        SELECT array_agg(s.id ORDER BY p.n), array_agg(d.id ORDER BY p.n)
        INTO v_sources, v_destinations
        FROM unnest(p_sources, p_destinations) WITH ORDINALITY AS p (source, destination, n)
        JOIN public.ledger_accounts s ON s.address = p.source AND s.address NOT LIKE '%:debt'
        JOIN public.ledger_accounts d ON d.address = p.destination AND d.address NOT LIKE '%:debt';
        IF cardinality(v_sources) IS DISTINCT FROM cardinality(p_sources)
           OR cardinality(p_references) <> (SELECT count(DISTINCT e) FROM unnest(p_entries) AS e) THEN
            RAISE EXCEPTION 'not plain' USING ERRCODE = 'PP004';
        END IF;

        WITH stored AS (
            INSERT INTO public.journal_entries (reference, kind)
            SELECT r.reference, r.kind
            FROM unnest(p_references, p_kinds) WITH ORDINALITY AS r (reference, kind, n) ORDER BY r.n
            ON CONFLICT (reference) DO NOTHING RETURNING id, reference)
        SELECT array_agg(e.id ORDER BY r.n), count(DISTINCT e.id) INTO v_ids, v_rows
        FROM unnest(p_references) WITH ORDINALITY AS r (reference, n)
        JOIN stored e ON e.reference = r.reference;
        IF v_rows <> cardinality(p_references) THEN
            RAISE EXCEPTION 'not plain' USING ERRCODE = 'PP004';
        END IF;
        INSERT INTO public.postings (entry_id, position, source, destination, micro)
        SELECT v_ids[p.entry], row_number() OVER (PARTITION BY p.entry ORDER BY p.n),
               p.source, p.destination, p.micro
        FROM unnest(p_entries, v_sources, v_destinations, p_micros) WITH ORDINALITY
             AS p (entry, source, destination, micro, n);

        PERFORM pg_advisory_xact_lock_shared(17477, k.key) FROM (
            SELECT DISTINCT public.ledger_debt_key(a.id) AS key
            FROM unnest(p_destinations, v_destinations) AS a (address, id)
            WHERE a.address LIKE 'user:%:available' ORDER BY 1) AS k;

        -- Locked in the order in which ledger_post would: by entry, and then by account.
        SELECT array_agg(d.id ORDER BY d.entry, d.id), array_agg(d.micro ORDER BY d.entry, d.id)
        INTO v_floored, v_debits
        FROM (
            SELECT p.source AS id, min(p.entry) AS entry, sum(p.micro)::bigint AS micro
            FROM unnest(p_entries, v_sources, p_micros) AS p (entry, source, micro)
            JOIN public.ledger_accounts a ON a.id = p.source AND NOT a.may_go_negative
            GROUP BY p.source) AS d;
        PERFORM FROM public.ledger_balances b
        JOIN unnest(v_floored) WITH ORDINALITY AS d (id, n) ON d.id = b.account_id
        ORDER BY d.n FOR NO KEY UPDATE OF b;
        UPDATE public.ledger_balances b SET micro = b.micro - d.micro
        FROM unnest(v_floored, v_debits) AS d (id, micro)
        WHERE b.account_id = d.id AND b.micro >= d.micro;
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        IF v_rows <> coalesce(cardinality(v_floored), 0) OR EXISTS (
            SELECT FROM unnest(p_destinations) AS c (address)
            JOIN public.ledger_accounts debt ON debt.address = left(c.address, -9) || 'debt'
            WHERE c.address LIKE 'user:%:available' AND public.ledger_balance(debt.address) < 0) THEN
            RAISE EXCEPTION 'not plain' USING ERRCODE = 'PP004';
        END IF;

        -- One row of each account, not of each posting: whoever folds has less to do.
        INSERT INTO public.ledger_pending (account_id, micro)
        SELECT c.account_id, sum(c.micro)::bigint FROM (
            SELECT p.destination, p.micro FROM unnest(v_destinations, p_micros) AS p (destination, micro)
            UNION ALL
            SELECT p.source, -p.micro FROM unnest(v_sources, p_micros) AS p (source, micro)
            WHERE p.source <> ALL (coalesce(v_floored, '{}'))
        ) AS c (account_id, micro)
        GROUP BY c.account_id HAVING sum(c.micro) <> 0;
        RETURN;
    EXCEPTION WHEN SQLSTATE 'PP004' OR check_violation THEN
        NULL;  -- what was written in this block is undone
    END;

    FOR v_entry IN 1 .. cardinality(p_references) LOOP
        PERFORM public.ledger_post(
            p_references[v_entry], p_kinds[v_entry],
            ARRAY(SELECT p.source FROM unnest(p_entries, p_sources) WITH ORDINALITY
                  AS p (entry, source, n) WHERE p.entry = v_entry ORDER BY p.n),
            ARRAY(SELECT p.destination FROM unnest(p_entries, p_destinations) WITH ORDINALITY
                  AS p (entry, destination, n) WHERE p.entry = v_entry ORDER BY p.n),
            ARRAY(SELECT p.micro FROM unnest(p_entries, p_micros) WITH ORDINALITY
                  AS p (entry, micro, n) WHERE p.entry = v_entry ORDER BY p.n));
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION ledger_post_all(text[], text[], integer[], text[], text[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_post_all(text[], text[], integer[], text[], text[], bigint[]) TO protonpay_app;
