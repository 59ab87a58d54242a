"""Proton Pay: custodial USDC accounts, as rooms on floors.

    roof         app, cli, stack, sandbox
    views        overview, portal
    composites   invoices, treasury
    rooms        auth, api_keys, deposits, payouts, transfers, webhooks (siblings)
    people       wallets -> users, plans
    web          the HTTP toolkit of blueprints and schemas
    ports        ledger, cards, chains, fx (siblings)
    ground       store, wire
    kernel       money, time, ids, errors, states, signing, events

A room imports only from floors below it; what is above learns of things by events.
"""
