"""What an account is told of that is no event: it stands until somebody mends it."""

from collections.abc import Mapping

from protonpay.kernel import events

WEBHOOK_FAILING = "webhook.failing"
WEBHOOK_DISABLED = "webhook.disabled"
API_KEY_EXPIRING = "api_key.expiring"
DEPOSIT_ON_HOLD = "deposit.on_hold"

NAMES = (WEBHOOK_FAILING, WEBHOOK_DISABLED, API_KEY_EXPIRING, DEPOSIT_ON_HOLD)
"""Every notice there is. That an endpoint was disabled is an event, too: the notice stands for both
as long as it is so."""

LETTERS: Mapping[str, bool] = {
    events.DEPOSIT_CONFIRMED: True,
    events.DEPOSIT_CARD_SUCCESS: True,
    events.DEPOSIT_CARD_REFUNDED: True,
    DEPOSIT_ON_HOLD: True,
    events.PAYOUT_COMPLETED: True,
    events.PAYOUT_FAILED: True,
    events.TRANSFER_COMPLETED: False,
    events.INVOICE_PAID: True,
    events.INVOICE_PARTIALLY_PAID: False,
    events.INVOICE_OVERPAID: False,
    events.INVOICE_LATE_PAYMENT: True,
    events.INVOICE_EXPIRED: False,
    events.INVOICE_CANCELLED: False,
    events.INVOICE_REFUNDED: False,
    events.INVOICE_REFUND_CLAIMED: True,
    events.KYC_APPROVED: True,
    events.KYC_REJECTED: True,
    WEBHOOK_FAILING: True,
    WEBHOOK_DISABLED: True,
    API_KEY_EXPIRING: True,
}
"""Whether an account that has not said otherwise gets letters of a kind. What a thief would want
unsaid is not among them: nobody switches off letters of passwords, devices and second factors."""
