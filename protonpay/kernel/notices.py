"""What an account is told of that is no event: it stands until somebody mends it."""

WEBHOOK_FAILING = "webhook.failing"
WEBHOOK_DISABLED = "webhook.disabled"
API_KEY_EXPIRING = "api_key.expiring"
DEPOSIT_ON_HOLD = "deposit.on_hold"

NAMES = (WEBHOOK_FAILING, WEBHOOK_DISABLED, API_KEY_EXPIRING, DEPOSIT_ON_HOLD)
"""Every notice there is. That an endpoint was disabled is an event, too: the notice stands for both
as long as it is so."""
