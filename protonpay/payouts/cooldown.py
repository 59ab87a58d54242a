"""Cooldown and limits of a plan: asked at the door and again before a signature."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Interval, ScalarSelect, func, literal, select
from sqlalchemy.orm import aliased

from protonpay.kernel.errors import Conflict, Forbidden
from protonpay.kernel.money import ZERO, Usdc
from protonpay.payouts.models import Payout
from protonpay.plans.service import Terms
from protonpay.store.db import current

_DAY = timedelta(hours=24)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Before:
    """What somebody had withdrawn before a withdrawal; what failed does not count.

    Attributes:
        moment: that withdrawal's.
        day: the sum of the 24 hours before it.
        last: when the last one was ordered; None if there was none.
    """

    moment: datetime
    day: Usdc
    last: datetime | None

    def day_left(self, terms: Terms) -> Usdc:
        """Return what may still be withdrawn in these 24 hours; below zero after a cut."""
        return terms.daily_limit - self.day

    def seconds_left(self, terms: Terms) -> int:
        """Return the whole seconds until the next withdrawal is possible, rounded up."""
        if self.last is None:
            return 0
        wait = self.last + timedelta(seconds=terms.cooldown_seconds) - self.moment
        return max(0, -(-wait // _SECOND))


def before(user_id: str, moment: datetime) -> Before:
    """Return what a user had withdrawn when they order one, in the caller's transaction.

    Whatever there is was ordered before, also what another process's clock calls later.
    """
    day, last = _counted(user_id, literal(moment, Payout.created_at.type))
    found = current().execute(select(day, last)).one()
    return Before(moment, found[0] or ZERO, found[1])


def before_each(payout_ids: Collection[str]) -> Mapping[str, Before]:
    """Return what their owners had withdrawn when they ordered these payouts, by payout.

    Those ordered later do not count: they must not make an earlier one too much.
    """
    day, last = _counted(Payout.user_id, Payout.created_at, before=Payout.id)
    wanted = select(Payout.id, Payout.created_at, day, last).where(Payout.id.in_(payout_ids))
    return {
        payout_id: Before(moment, sum_of_day or ZERO, newest)
        for payout_id, moment, sum_of_day, newest in current().execute(wanted)
    }


def check_single(terms: Terms, amount: Usdc) -> None:
    """Refuse what is above the plan's limit of one withdrawal ("fees": limits).

    Raises:
        Forbidden: ``plan_limit_exceeded``.
    """
    if amount > terms.single_limit:
        said = "At most {limit} USDC in one withdrawal."
        raise Forbidden("plan_limit_exceeded", said, limit=terms.single_limit)


def check_day(terms: Terms, earlier: Before, amount: Usdc) -> None:
    """Refuse what the plan's limit of a day does not leave room for ("fees": limits).

    Raises:
        Forbidden: ``daily_limit_exceeded``.
    """
    if amount > earlier.day_left(terms):
        said = "At most {limit} USDC in 24 hours."
        raise Forbidden("daily_limit_exceeded", said, limit=terms.daily_limit)


def check_cooldown(terms: Terms, earlier: Before) -> None:
    """Refuse a withdrawal too soon after the one before; a failed one does not count.

    Raises:
        Conflict: ``withdrawal_cooldown``, with the wait.
    """
    seconds = earlier.seconds_left(terms)
    if seconds:
        said = "Next withdrawal is possible in {seconds} seconds."
        raise Conflict("withdrawal_cooldown", said, retry_after=seconds, seconds=seconds)


def _counted(
    user_id: Any, moment: Any, *, before: Any = None
) -> tuple[ScalarSelect[Any], ScalarSelect[Any]]:
    """Return what counts towards a limit: the sum of the day before a moment, the last one's.

    Args:
        user_id: whose.
        moment: when the day ends.
        before: the payout of that moment; None for one that is only being ordered.
    """
    other = aliased(Payout)
    counts = [other.user_id == user_id, other.state != "FAILED", other.source.is_(None)]
    if before is not None:
        counts += [other.created_at <= moment, other.id != before]
    in_the_day = other.created_at > moment - literal(_DAY, Interval)
    day = select(func.sum(other.amount_micro)).where(*counts, in_the_day)
    last = select(func.max(other.created_at)).where(*counts)
    return day.scalar_subquery(), last.scalar_subquery()
