"""Wallets that a user has proved to hold the key of, by a signed message."""
