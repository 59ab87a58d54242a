"""USDC from one user to another, at once."""
