"""Cooldown and limits of a plan: asked at the door and again before a signature."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from protonpay.kernel.errors import Conflict, Forbidden
from protonpay.kernel.money import ZERO, Usdc
from protonpay.payouts.models import Payout
from protonpay.plans.service import Terms
from protonpay.store.db import current

_DAY = timedelta(hours=24)


def check_single(terms: Terms, amount: Usdc) -> None:
    """Refuse what is above the plan's limit of one withdrawal ("fees": limits).

    Raises:
        Forbidden: ``plan_limit_exceeded``.
    """
    if amount > terms.single_limit:
        said = "At most {limit} USDC in one withdrawal."
        raise Forbidden("plan_limit_exceeded", said, limit=terms.single_limit)


def check_day(terms: Terms, user_id: str, amount: Usdc, at: datetime, *, but: str = "") -> None:
    """Refuse what the plan's limit of a day does not leave room for ("fees": limits).

    Args:
        terms: of the user's plan.
        user_id: whose withdrawals count.
        amount: of this one.
        at: the moment of this one; the day is the 24 hours before it.
        but: this payout's own id, once it exists.

    Raises:
        Forbidden: ``daily_limit_exceeded``.
    """
    if amount > day_left(terms, user_id, at, but=but):
        said = "At most {limit} USDC in 24 hours."
        raise Forbidden("daily_limit_exceeded", said, limit=terms.daily_limit)


def check_cooldown(terms: Terms, user_id: str, at: datetime, *, but: str = "") -> None:
    """Refuse a withdrawal too soon after the one before; a failed one does not count.

    Raises:
        Conflict: ``withdrawal_cooldown``, with the wait.
    """
    seconds = seconds_left(terms, user_id, at, but=but)
    if seconds:
        said = "Next withdrawal is possible in {seconds} seconds."
        raise Conflict("withdrawal_cooldown", said, retry_after=seconds, seconds=seconds)


def day_left(terms: Terms, user_id: str, at: datetime, *, but: str = "") -> Usdc:
    """Return what may still be withdrawn in the 24 hours before ``at``; below zero after a cut."""
    return terms.daily_limit - _withdrawn(user_id, at - _DAY, at, but)


def seconds_left(terms: Terms, user_id: str, at: datetime, *, but: str = "") -> int:
    """Return the whole seconds until the next withdrawal is possible, rounded up."""
    last = current().scalar(
        select(func.max(Payout.created_at)).where(
            Payout.user_id == user_id,
            Payout.state != "FAILED",
            Payout.source.is_(None),
            Payout.created_at <= at,
            Payout.id != but,
        )
    )
    if last is None:
        return 0
    wait = last + timedelta(seconds=terms.cooldown_seconds) - at
    return max(0, -(-wait // timedelta(seconds=1)))


def _withdrawn(user_id: str, since: datetime, until: datetime, but: str) -> Usdc:
    total = current().scalar(
        select(func.sum(Payout.amount_micro)).where(
            Payout.user_id == user_id,
            Payout.state != "FAILED",
            Payout.source.is_(None),
            Payout.created_at > since,
            Payout.created_at <= until,
            Payout.id != but,
        )
    )
    return total or ZERO
