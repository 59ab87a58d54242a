"""Postgres, and the only way to the queue."""
