-- Take the locks of an entry from one account to another as ledger_post would, and post nothing.
--
-- For a transaction that posts other entries first: who credits somebody that owes locks their debt,
-- and debts come after all available balances.
CREATE FUNCTION ledger_line_up(p_source text, p_destination text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(17477, public.ledger_debt_key(a.id))
    FROM public.ledger_accounts a WHERE a.address = p_destination;
    PERFORM FROM public.ledger_balances b
    JOIN public.ledger_accounts a ON a.id = b.account_id
    WHERE a.address = p_source FOR NO KEY UPDATE OF b;
END $$;

REVOKE ALL ON FUNCTION ledger_line_up(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_line_up(text, text) TO protonpay_app;
