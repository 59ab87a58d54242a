-- Debts: what a user owes after a refund or chargeback took back more than there was.
--
-- An account user:<id>:debt is opened with a user's first debt and is at zero or below it. Every
-- entry that brings a user money repays the debt first, in the same statement; see docs/ledger.md.

-- Refunds and credits of one user wait for each other here, so that no credit misses a debt that
-- is just being made. Credits share, and do not wait for credits. Equal keys cost a wait only.
CREATE FUNCTION ledger_debt_key(p_available bigint) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$
    SELECT (p_available % 2147483647)::integer;
$$;

-- Hold an account still until the transaction ends, and return what is in it: nobody else takes
-- from it or brings to it meanwhile.
CREATE FUNCTION ledger_claim(p_address text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_account bigint;
    v_micro bigint;
BEGIN
    SELECT a.id INTO v_account FROM public.ledger_accounts a WHERE a.address = p_address;
    IF v_account IS NULL THEN
        RAISE EXCEPTION '% was never opened', p_address USING ERRCODE = 'PP002';
    END IF;
    PERFORM pg_advisory_xact_lock(17477, public.ledger_debt_key(v_account));
    PERFORM FROM public.ledger_balances b WHERE b.account_id = v_account FOR NO KEY UPDATE;
    LOOP
        EXIT WHEN public.ledger_fold_account(v_account) = 0;
    END LOOP;
    SELECT b.micro INTO v_micro FROM public.ledger_balances b WHERE b.account_id = v_account;
    RETURN v_micro;
END $$;

-- Post one entry. Raises PP001: a source has too little. PP002: no such account.
-- PP003: the reference stands there with other postings.
CREATE OR REPLACE FUNCTION ledger_post(
    p_reference text, p_kind text, p_sources text[], p_destinations text[], p_micros bigint[],
    OUT entry_id bigint, OUT replayed boolean, OUT balances bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_sources bigint[];
    v_destinations bigint[];
    v_known integer;
    v_debit record;
    v_rows integer;
    v_debt record;
    v_part bigint;
    v_repayment bigint;
    v_repayers bigint[] := '{}';
    v_debts bigint[] := '{}';
    v_parts bigint[] := '{}';
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

        -- Before any balance is locked, as ledger_claim does.
        PERFORM pg_advisory_xact_lock_shared(17477, k.key) FROM (
            SELECT DISTINCT public.ledger_debt_key(a.id) AS key
            FROM unnest(p_destinations, v_destinations) AS a (address, id)
            WHERE a.address LIKE 'user:%:available' ORDER BY 1) AS k;

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

        -- Who owes repays first, as an entry of its own. Debts are locked after all available
        -- balances, in ascending order. None can be made now: its maker would have to wait above.
        FOR v_debt IN
            SELECT debt.id, c.id AS available, split_part(c.address, ':', 2) AS owner,
                   sum(c.micro)::bigint AS credited
            FROM unnest(p_destinations, v_destinations, p_micros) AS c (address, id, micro)
            JOIN public.ledger_accounts debt ON debt.address = left(c.address, -9) || 'debt'
            WHERE c.address LIKE 'user:%:available' AND public.ledger_balance(debt.address) < 0
            GROUP BY 1, 2, 3 ORDER BY 1
        LOOP
            PERFORM FROM public.ledger_balances b WHERE b.account_id = v_debt.id FOR NO KEY UPDATE;
            LOOP
                EXIT WHEN public.ledger_fold_account(v_debt.id) = 0;
            END LOOP;
            SELECT least(-b.micro, v_debt.credited) INTO v_part
            FROM public.ledger_balances b WHERE b.account_id = v_debt.id;
            CONTINUE WHEN v_part <= 0;
            INSERT INTO public.journal_entries (reference, kind)
            VALUES (p_reference || ':repays:' || v_debt.owner, 'debt_repayment') RETURNING id INTO v_repayment;
            INSERT INTO public.postings (entry_id, position, source, destination, micro)
            VALUES (v_repayment, 1, v_debt.available, v_debt.id, v_part);
            v_repayers := v_repayers || v_debt.available;
            v_debts := v_debts || v_debt.id;
            v_parts := v_parts || v_part;
        END LOOP;

        -- Credits are appended, and so are debits of accounts without a floor: nobody waits for them.
        -- What is repaid is taken off the credit before it is appended: no debit is ever appended.
        INSERT INTO public.ledger_pending (account_id, micro)
        SELECT p.destination, p.micro FROM unnest(v_destinations, p_micros) AS p (destination, micro)
        WHERE p.destination <> ALL (v_repayers)
        UNION ALL
        SELECT c.account_id, sum(c.micro)::bigint FROM (
            SELECT p.destination, p.micro FROM unnest(v_destinations, p_micros) AS p (destination, micro)
            WHERE p.destination = ANY (v_repayers)
            UNION ALL
            SELECT r.account_id, -r.micro FROM unnest(v_repayers, v_parts) AS r (account_id, micro)
        ) AS c (account_id, micro)
        GROUP BY c.account_id HAVING sum(c.micro) <> 0
        UNION ALL
        SELECT r.account_id, r.micro FROM unnest(v_debts, v_parts) AS r (account_id, micro)
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

REVOKE ALL ON FUNCTION ledger_claim(text), ledger_debt_key(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_claim(text) TO protonpay_app;
