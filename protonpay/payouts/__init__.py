"""USDC that leaves to a wallet."""
