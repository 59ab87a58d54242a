"""A local EVM chain with Circle's real USDC: anvil, mined and kept on disk by us."""
