"""What payouts wait for: the code of the signer, what clients are told of it, and the alarm.

Nothing is decided here. A payout that waits is asked about again by its own job; the row only
says what the last look found, so that whoever owns it and whoever runs the house can see it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, or_, select, update

from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.payouts.models import Payout
from protonpay.store.db import LOCK, current, db, release, transaction

log = structlog.get_logger(__name__)

NODE_SILENT = "node_silent"
LIQUIDITY = frozenset({"treasury_short", "gas_short"})
"""What funding a wallet of ours mends."""

_TOLD: Mapping[str, str] = {
    "payouts_paused": "paused",
    "withdrawals_frozen": "account_frozen",
    "account_suspended": "account_frozen",
    "hold_missing": "review",
    "already_sent": "confirmation",
    "treasury_short": "liquidity",
    "treasury_frozen": "liquidity",
    "treasury_blacklisted": "liquidity",
    "gas_short": "gas",
    "fees_high": "network_fees",
    "usdc_paused": "usdc_paused",
    "over_payout_ceiling": "capacity",
    "over_hour_ceiling": "capacity",
    "over_day_ceiling": "capacity",
}
_BY_STATE = {"ON_HOLD": "review", "SIGNED": "confirmation", "SENT": "confirmation"}
_NETWORK, _QUEUE, _CANCELLING = "network", "processing", "cancellation"
REASONS = tuple(
    dict.fromkeys((_QUEUE, _CANCELLING, *_BY_STATE.values(), *_TOLD.values(), _NETWORK))
)
"""All that a client can be told, closed: a code of the signer that is not named above is trouble
of the network or its node."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Payouts of one network that cannot be signed for one reason.

    Attributes:
        reason: the code of what they wait for (``payouts_paused``, ``treasury_short`` …).
        total: their amounts together, without fees.
        since: when the one that has waited longest began to wait for this.
    """

    network: str
    reason: str
    count: int
    total: Usdc
    since: datetime

    @property
    def seconds(self) -> int:
        """How long the oldest of them waits."""
        return int((clock.now() - self.since).total_seconds())


class Alarm:
    """When waiting for money of ours is too long, bound by create_app."""

    def __init__(self) -> None:
        self.after = timedelta(minutes=5)

    def bind(self, seconds: int) -> None:
        """Set after how many seconds it shouts."""
        self.after = timedelta(seconds=seconds)

    def ringing(self) -> Sequence[Waiting]:
        """Return what waits for USDC or native coin of ours for longer than that."""
        return [
            line
            for line in lines()
            if line.reason in LIQUIDITY and clock.now() - line.since >= self.after
        ]

    def look(self) -> None:
        """Shout for every network whose payouts wait too long for liquidity."""
        for line in self.ringing():
            log.error(
                "payouts_wait_for_liquidity",
                network=line.network,
                code=line.reason,
                count=line.count,
                total=str(line.total),
                seconds=line.seconds,
            )


alarm = Alarm()


def note(payout_ids: Iterable[str], code: str) -> None:
    """Write down what payouts wait for; the same again changes nothing."""
    told_otherwise = select(Payout.id).where(
        Payout.id.in_(list(payout_ids)),
        Payout.state == "PENDING",
        or_(Payout.waits_for.is_(None), Payout.waits_for != code),
    )
    # In the order in which ``ending.lock`` takes several, which an update alone has not.
    in_order = told_otherwise.order_by(Payout.user_id, Payout.id).with_for_update(**LOCK)
    with transaction():
        found = current().scalars(in_order).all()
        if found:
            since = {"waits_for": code, "waits_since": clock.now()}
            current().execute(update(Payout).where(Payout.id.in_(found)).values(**since))


def forget(payout: Payout) -> None:
    """Say that a payout waits no longer, in the caller's transaction."""
    payout.waits_for = payout.waits_since = None


def told(payout: Payout) -> str | None:
    """Return what its owner is told (one of ``REASONS``); None once it has ended."""
    if payout.state != "PENDING":
        return _BY_STATE.get(payout.state)
    if payout.cancel_asked_at is not None:
        return _CANCELLING
    return _QUEUE if payout.waits_for is None else _TOLD.get(payout.waits_for, _NETWORK)


def lines() -> Sequence[Waiting]:
    """Count the payouts that nothing is wrong with and that cannot be signed now, by reason."""
    rows = db.session.execute(
        select(
            Payout.network,
            Payout.waits_for,
            func.count(),
            func.sum(Payout.amount_micro),
            func.min(Payout.waits_since),
        )
        .where(Payout.state == "PENDING", Payout.waits_for.is_not(None))
        .group_by(Payout.network, Payout.waits_for)
        .order_by(Payout.network, Payout.waits_for)
    ).all()
    release()
    return [
        Waiting(network, code, count, total, since)
        for network, code, count, total, since in rows
        if code is not None and since is not None
    ]
