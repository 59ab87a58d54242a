"""The second factor: one-time codes of an app, recovery codes, and asking for one."""
