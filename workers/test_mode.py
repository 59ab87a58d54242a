"""The wallet outside pays, and what is to vanish does, in a sandbox."""

import structlog

from protonpay.sandbox import outside
from protonpay.store.jobs import Later
from protonpay.test_mode import service
from workers.job import job

log = structlog.get_logger(__name__)


@job("test_mode.pay")
def pay(payment_id: str) -> Later | None:
    """Send a test payment, once."""
    errand = service.due(payment_id)
    if errand is None:
        return None
    wallet, where = outside.of(errand.family), (errand.rpc_url, errand.usdc)
    try:
        wallet.usdc_balance(*where, errand.address)
    except OSError as away:
        # Nothing was asked for yet.
        seconds = service.put_off(payment_id)
        return None if seconds is None else Later(seconds, repr(away))
    if not service.begin(payment_id):
        return None
    try:
        tx_hash = wallet.send_usdc(*where, errand.address, errand.micro)
    except outside.Refused as no:
        log.warning("test_payment_refused", payment_id=payment_id, error=repr(no))
        service.not_sent(payment_id)
    except Exception as lost:  # noqa: BLE001 - unknown is kept, and never sent again
        log.warning("test_payment_lost", payment_id=payment_id, error=repr(lost))
        service.lost(payment_id)
    else:
        service.sent(payment_id, tx_hash)
    return None


@job("test_mode.take_away")
def take_away(payment_id: str) -> Later | None:
    """Have the chain go on without a payment that is to vanish. Twice: then it is gone already."""
    found = service.to_take_away(payment_id)
    if not isinstance(found, service.Removal):
        return found
    try:
        taken = outside.of(found.family).undo(found.rpc_url, found.tx_hash)
    except OSError as away:
        return Later(1, repr(away))
    log.info("test_payment_taken_away", payment_id=payment_id, taken=taken)
    return None
