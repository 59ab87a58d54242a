"""Payouts to a listed address are held: when they are asked for, and again before signing."""

import structlog

from protonpay.chains.registry import network as named_network
from protonpay.payouts import waits
from protonpay.payouts.models import Payout
from protonpay.payouts.states import PAYOUT
from protonpay.screening.service import screening

log = structlog.get_logger(__name__)


def hold(payout: Payout) -> bool:
    """Put a payout on hold if its payee is listed, in the caller's transaction; tell whether."""
    if payout.cleared:
        return False
    family = named_network(payout.network).family
    why = screening.hit(family, payout.wallet_address)
    if why is None:
        return False
    PAYOUT.check(payout.state, "ON_HOLD")
    payout.state, payout.hold_reason, payout.approved_at = "ON_HOLD", why, None
    waits.forget(payout)
    log.error("payout_on_hold", payout_id=payout.id, listed=why)
    return True
