"""Deposit addresses, and the transfers that reach them."""
