"""The house's USDC on chain: moved from deposit addresses to where payouts come from."""
