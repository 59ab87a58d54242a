"""The rate port: what a unit of fiat is worth in USDC."""
