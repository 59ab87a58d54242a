"""Cooldown and limits of a plan: asked at the door and again before a signature."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from protonpay.kernel.errors import Conflict, Forbidden
from protonpay.kernel.money import ZERO, Usdc
from protonpay.payouts.models import Payout
from protonpay.plans.service import Terms
from protonpay.store.db import current

_DAY = timedelta(hours=24)


def check_limits(terms: Terms, user_id: str, amount: Usdc, at: datetime, *, but: str = "") -> None:
    """Refuse what is above the plan's limits (API document, "fees": limits).

    Args:
        terms: of the user's plan.
        user_id: whose withdrawals count.
        amount: of this one.
        at: the moment of this one; the day is the 24 hours before it.
        but: this payout's own id, once it exists.

    Raises:
        Forbidden: ``plan_limit_exceeded`` or ``daily_limit_exceeded``.
    """
    if amount > terms.single_limit:
        said = f"At most {terms.single_limit} USDC in one withdrawal."
        raise Forbidden("plan_limit_exceeded", said)
    if amount + _withdrawn(user_id, at - _DAY, at, but) > terms.daily_limit:
        said = f"At most {terms.daily_limit} USDC in 24 hours."
        raise Forbidden("daily_limit_exceeded", said)


def check_cooldown(terms: Terms, user_id: str, at: datetime, *, but: str = "") -> None:
    """Refuse a withdrawal too soon after the one before; a failed one does not count.

    Raises:
        Conflict: ``withdrawal_cooldown``, with the wait.
    """
    last = current().scalar(
        select(func.max(Payout.created_at)).where(
            Payout.user_id == user_id,
            Payout.state != "FAILED",
            Payout.created_at <= at,
            Payout.id != but,
        )
    )
    if last is None:
        return
    wait = last + timedelta(seconds=terms.cooldown_seconds) - at
    if wait > timedelta(0):
        seconds = -(-wait // timedelta(seconds=1))
        said = f"Next withdrawal is possible in {seconds} seconds."
        raise Conflict("withdrawal_cooldown", said, retry_after=seconds)


def _withdrawn(user_id: str, since: datetime, until: datetime, but: str) -> Usdc:
    total = current().scalar(
        select(func.sum(Payout.amount_micro)).where(
            Payout.user_id == user_id,
            Payout.state != "FAILED",
            Payout.created_at > since,
            Payout.created_at <= until,
            Payout.id != but,
        )
    )
    return total or ZERO
