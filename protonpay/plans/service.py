"""The terms of an account, read from its plan."""

import time
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from sqlalchemy import func, select

from protonpay.chains.registry import NETWORKS, unsupported
from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict, Invalid, NotFound
from protonpay.kernel.money import ZERO, Usdc
from protonpay.plans.levels import Raised, highest, merged, read
from protonpay.plans.models import Plan, PlanVersion
from protonpay.store.db import LOCK, db, transaction
from protonpay.users import service as users

DEFAULT = "default"
SOONEST = timedelta(minutes=2)
NUMBERS = (
    "withdrawal_fees",
    "withdrawal_fee_bps",
    "transfer_fee_micro",
    "deposit_commission_bps",
    "single_limit_micro",
    "daily_limit_micro",
    "level_limits",
    "cooldown_seconds",
    "needs_verified_email",
    "needs_kyc",
)
"""What a version of a plan consists of."""
_REMEMBERED_SECONDS = 30
_WHOLE = 10_000


@dataclass(frozen=True, slots=True)
class Terms:
    """A plan as its numbers.

    Attributes:
        withdrawal_fees: network → flat fee.
        single_limit: largest withdrawal; ``daily_limit``: sum of 24 hours, rolling.
        levels: what each level of identity raises.
    """

    withdrawal_fees: Mapping[str, Usdc]
    withdrawal_fee_bps: int
    transfer_fee: Usdc
    deposit_commission_bps: int
    single_limit: Usdc
    daily_limit: Usdc
    cooldown_seconds: int
    needs_verified_email: bool
    needs_kyc: bool
    levels: Mapping[int, Raised] = field(default_factory=dict)

    def at_level(self, level: int) -> "Terms":
        """Return the terms of somebody whose identity is approved at a level; 0: it is not.

        A level has all that those below it have, and never lowers a limit.
        """
        reached = [raised for each, raised in self.levels.items() if each <= level]
        if not reached:
            return self
        return replace(
            self,
            single_limit=highest(self.single_limit, (each.single_limit for each in reached)),
            daily_limit=highest(self.daily_limit, (each.daily_limit for each in reached)),
        )

    def withdrawal_fee(self, network: str, amount: Usdc) -> Usdc:
        """Return what a withdrawal costs on top of its amount.

        Raises:
            Invalid: the plan has no fee for the network (``unsupported_network``).
        """
        flat = self.withdrawal_fees.get(network)
        if flat is None:
            raise unsupported(self.withdrawal_fees)
        return flat + amount.share_ceil(self.withdrawal_fee_bps)

    def most_withdrawn(self, network: str, balance: Usdc) -> Usdc:
        """Return the largest withdrawal that a balance covers with its fee; 0 if it covers none.

        Raises:
            Invalid: as :meth:`withdrawal_fee`.
        """
        left = balance - self.withdrawal_fee(network, ZERO)
        return max(ZERO, left.before_share(self.withdrawal_fee_bps))

    def deposit_commission(self, amount: Usdc) -> Usdc:
        """Return the part of a deposit that is ours."""
        return amount.share_ceil(self.deposit_commission_bps) if amount else ZERO


@dataclass(frozen=True, slots=True)
class Upcoming:
    """The terms that follow, and from when on."""

    starts_at: datetime
    terms: Terms


@dataclass(frozen=True, slots=True)
class PlanFees:
    """What a user pays, and will.

    Attributes:
        level: how well they are known; ``terms`` and those that follow are of this level.
        own: the plan's, whoever asks.
        seconds_left: whole seconds until what is announced, None if nothing is.
    """

    plan: str
    level: int
    own: Terms
    terms: Terms
    upcoming: Upcoming | None
    seconds_left: int | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """All terms of a plan: the first ones, and what they became, oldest change first."""

    first: Terms
    changes: Sequence[tuple[datetime, Terms]]

    def at(self, moment: datetime) -> Terms:
        """Return the terms as they were, or will be, at a moment."""
        begun = bisect_right(self.changes, moment, key=itemgetter(0))
        return self.changes[begun - 1][1] if begun else self.first


@dataclass(frozen=True, slots=True)
class _Known:
    until: float
    terms: Terms


class _Remembered:
    """Terms read a moment ago: they change by an operator's hand, a request reads them."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def get(self, name: str) -> Terms:
        known = self._known.get(name)
        if known is not None and known.until > time.monotonic():
            return known.terms
        now = clock.now()
        terms, following = terms_at(name, now), upcoming(name)
        # Announced longer before than anybody remembers: the change comes at its moment.
        left = (
            _REMEMBERED_SECONDS
            if following is None
            else (following.starts_at - now).total_seconds()
        )
        until = time.monotonic() + min(left, _REMEMBERED_SECONDS)
        self._known[name] = _Known(until, terms)
        return terms

    def forget(self) -> None:
        self._known.clear()


_remembered = _Remembered()


def terms(plan: str) -> Terms:
    """Return the terms of a plan as they are now.

    Raises:
        LookupError: no such plan: a bug, plans are not deleted.
    """
    return _remembered.get(plan)


def terms_of(user_id: str) -> Terms:
    """Return the terms of a user: of their plan, at their level.

    Raises:
        NotFound: there is no such user.
    """
    user = users.get(user_id)
    return terms(user.plan).at_level(user.identity_level)


def fees_of(user_id: str) -> PlanFees:
    """Return the terms of a user's plan with its name and what is announced of it.

    Raises:
        NotFound: there is no such user.
    """
    user = users.get(user_id)
    plan, level = user.plan, user.identity_level
    following = upcoming(plan)
    if following is not None:
        following = Upcoming(following.starts_at, following.terms.at_level(level))
    left = None if following is None else int((following.starts_at - clock.now()).total_seconds())
    own = terms(plan)
    return PlanFees(plan, level, own, own.at_level(level), following, left)


def terms_at(plan: str, moment: datetime) -> Terms:
    """Return the terms that a plan had at a moment, or will have.

    Raises:
        LookupError: no such plan: a bug, plans are not deleted.
    """
    versions = select(PlanVersion).where(PlanVersion.name == plan, PlanVersion.starts_at <= moment)
    newest = versions.order_by(PlanVersion.starts_at.desc()).limit(1)
    row = db.session.scalar(newest) or db.session.get(Plan, plan, populate_existing=True)
    if row is None:
        raise LookupError(f"no plan {plan}")
    return _as_terms(row)


def timeline(plan: str) -> Timeline:
    """Return all terms that a plan had or will have, for who asks of many moments.

    Raises:
        LookupError: no such plan: a bug, plans are not deleted.
    """
    versions = select(PlanVersion).where(PlanVersion.name == plan).order_by(PlanVersion.starts_at)
    first = db.session.get(Plan, plan, populate_existing=True)
    if first is None:
        raise LookupError(f"no plan {plan}")
    changes = [(row.starts_at, _as_terms(row)) for row in db.session.scalars(versions)]
    return Timeline(_as_terms(first), changes)


def upcoming(plan: str) -> Upcoming | None:
    """Return what comes next of a plan, if anything is announced."""
    later = select(PlanVersion).where(PlanVersion.name == plan, PlanVersion.starts_at > clock.now())
    row = db.session.scalar(later.order_by(PlanVersion.starts_at).limit(1))
    return None if row is None else Upcoming(row.starts_at, _as_terms(row))


def names() -> Sequence[str]:
    """Return the names of all plans."""
    return db.session.scalars(select(Plan.name).order_by(Plan.name)).all()


def create(name: str, *, like: str) -> None:
    """Make a plan that begins as another one is now.

    Raises:
        NotFound: there is no plan to be like.
        Conflict: there is one of this name (``duplicate``).
    """
    with transaction() as session:
        if session.get(Plan, name) is not None:
            raise Conflict("duplicate", "There is a plan of this name already.")
        session.add(Plan(name=name, **_columns(_existing(like))))


def announce(plan: str, *, starts_at: datetime, **changes: Any) -> Upcoming:
    """Let a plan have other numbers from a moment on.

    What is not named stays as it is at that moment. What was charged before it stays charged.

    Args:
        plan: its name.
        starts_at: at least two minutes ahead, so that no process remembers the old ones.
        changes: columns of the plan, in their own units.

    Raises:
        NotFound: there is no such plan.
        Invalid: too soon, no change, a number below zero, or a share above the whole
            (``validation_error``).
        Conflict: a version begins at this moment, or after it, already (``duplicate``).
    """
    now = clock.now()
    if starts_at < now + SOONEST:
        said = "A change is announced at least {seconds} seconds before."
        raise Invalid("validation_error", said, seconds=int(SOONEST.total_seconds()))
    _check_numbers(changes)
    with transaction() as session:
        session.execute(select(Plan).where(Plan.name == plan).with_for_update(**LOCK))
        columns = _columns(_existing(plan, starts_at))
        if "level_limits" in changes:
            changes["level_limits"] = merged(columns["level_limits"], changes["level_limits"])
        if "withdrawal_fees" in changes:
            changes["withdrawal_fees"] = columns["withdrawal_fees"] | changes["withdrawal_fees"]
        last = session.scalar(
            select(func.max(PlanVersion.starts_at)).where(PlanVersion.name == plan)
        )
        if last is not None and last >= starts_at:
            raise Conflict("duplicate", "A version that begins then or later is announced.")
        row = PlanVersion(name=plan, starts_at=starts_at, announced_at=now, **(columns | changes))
        session.add(row)
        session.flush()
    forget()
    return Upcoming(starts_at, _as_terms(row))


def assign(user_id: str, plan: str) -> None:
    """Put a user on a plan; what they asked for before keeps its fee.

    Raises:
        NotFound: there is no such user or plan.
    """
    with transaction():
        _existing(plan)
        users.lock(user_id).plan = plan


def forget() -> None:
    """Drop what this process remembers of plans."""
    _remembered.forget()


def _existing(plan: str, moment: datetime | None = None) -> Plan | PlanVersion:
    at = moment or clock.now()
    versions = select(PlanVersion).where(PlanVersion.name == plan, PlanVersion.starts_at <= at)
    row = db.session.scalar(versions.order_by(PlanVersion.starts_at.desc()).limit(1))
    found = row or db.session.get(Plan, plan, populate_existing=True)
    if found is None:
        raise NotFound("not_found", "There is no such plan.")
    return found


def _columns(row: Plan | PlanVersion) -> dict[str, Any]:
    return {name: getattr(row, name) for name in NUMBERS}


def _check_numbers(changes: Mapping[str, Any]) -> None:
    if not changes or not set(changes) <= set(NUMBERS):
        raise Invalid("validation_error", "Name what changes, as the plan has it.")
    numbers = [value for name, value in changes.items() if isinstance(value, int | Usdc)]
    numbers += [fee for fee in changes.get("withdrawal_fees", {}).values() if fee is not None]
    below = any((one.micro if isinstance(one, Usdc) else one) < 0 for one in numbers)
    shares = [changes.get(name, 0) for name in ("withdrawal_fee_bps", "deposit_commission_bps")]
    if below or max(shares) > _WHOLE:
        raise Invalid("validation_error", "No number of a plan is below zero or above the whole.")


def _as_terms(plan: Plan | PlanVersion) -> Terms:
    return Terms(
        withdrawal_fees=_withdrawal_fees(plan.withdrawal_fees),
        withdrawal_fee_bps=plan.withdrawal_fee_bps,
        transfer_fee=plan.transfer_fee_micro,
        deposit_commission_bps=plan.deposit_commission_bps,
        single_limit=plan.single_limit_micro,
        daily_limit=plan.daily_limit_micro,
        cooldown_seconds=plan.cooldown_seconds,
        needs_verified_email=plan.needs_verified_email,
        needs_kyc=plan.needs_kyc,
        levels=read(plan.level_limits),
    )


def _withdrawal_fees(named: Mapping[str, int | None]) -> Mapping[str, Usdc]:
    """Return the fee on each network that the plan or else the network names.

    A plan's null leaves the network out. JSONB keeps no order; the document's is the table's.
    """
    fees: dict[str, Usdc] = {}
    for name, network in NETWORKS.items():
        micro = named.get(name)
        if micro is not None:
            fees[name] = Usdc(micro)
        elif network.withdrawal_fee is not None and name not in named:
            fees[name] = network.withdrawal_fee
    return fees
