"""Large payouts wait until a second person, an operator, has approved them."""

import structlog

from protonpay.kernel.money import Usdc
from protonpay.payouts.models import Payout
from protonpay.payouts.states import PAYOUT

log = structlog.get_logger(__name__)

WAITING, GIVEN = "WAITING", "GIVEN"


class Threshold:
    """Above how much a payout waits, bound by create_app; None is never."""

    def __init__(self) -> None:
        self.above: Usdc | None = None

    def bind(self, above: Usdc | None) -> None:
        """Set it."""
        self.above = above


threshold = Threshold()


def hold(payout: Payout) -> bool:
    """Put a payout on hold if it is large, in the caller's transaction; tell whether.

    One that is on hold already, for its payee, waits for both decisions.
    """
    if threshold.above is None or not threshold.above < payout.amount_micro:
        return False
    payout.approval, payout.approved_at = WAITING, None
    if payout.state != "ON_HOLD":
        PAYOUT.check(payout.state, "ON_HOLD")
        payout.state = "ON_HOLD"
    log.warning("payout_waits_for_approval", payout_id=payout.id)
    return True
