"""The chain port and its adapters."""
