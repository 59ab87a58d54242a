"""The card port and its adapters."""
