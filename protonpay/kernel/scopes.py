"""What an API key may do: the scopes, or all of them."""

from enum import StrEnum

FULL = "full"
"""The permissions of a key that may do whatever keys may do (API document, "api-keys")."""


class Scope(StrEnum):
    """One thing that a key can be allowed."""

    BALANCE_READ = "balance:read"
    ACTIVITY_READ = "activity:read"
    DEPOSITS_WRITE = "deposits:write"
    WITHDRAWALS_WRITE = "withdrawals:write"
    TRANSFERS_WRITE = "transfers:write"
    INVOICES_WRITE = "invoices:write"
    WEBHOOKS_WRITE = "webhooks:write"
