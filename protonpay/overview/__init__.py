"""Reads over many rooms: balance, dashboard, activity."""
