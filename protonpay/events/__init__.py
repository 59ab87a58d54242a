"""An account's event log, read by number."""
