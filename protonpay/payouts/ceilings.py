"""What the signer asks of every payout, whatever the rest of the program has said yes to.

Its own ceilings bound what a fault elsewhere, or somebody who has taken over the web, can have
signed before people notice. And it signs only what the book says is held for this very payout.
Both leave a payout waiting and shout; neither fails it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from protonpay.chains.port import NotReady
from protonpay.kernel import clock
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import service as ledger
from protonpay.ledger.service import Hold
from protonpay.payouts.models import Payout, SignedMinute
from protonpay.store.db import current, db

log = structlog.get_logger(__name__)

ALL = "*"
"""Over all networks together."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_KEPT = timedelta(days=2)
_LOCK = 0x5349474E  # "SIGN"


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most that may be signed; None is no ceiling."""

    single: Usdc | None = None
    hour: Usdc | None = None
    day: Usdc | None = None

    @classmethod
    def parse(cls, written: str) -> "Ceiling":
        """Read ``single/hour/day`` in USDC, a dash for none: ``5000/20000/-``.

        Raises:
            ValueError: it is not written so.
        """
        parts = written.split("/")
        if len(parts) != len(cls.__dataclass_fields__):
            raise ValueError("a ceiling is single/hour/day")
        return cls(*(None if part == "-" else Usdc.parse(part) for part in parts))


@dataclass(frozen=True, slots=True)
class Room:
    """How near to a ceiling the signer is.

    Attributes:
        where: a network, or ``ALL``.
        period: ``hour`` or ``day``.
    """

    where: str
    period: str
    signed: Usdc
    ceiling: Usdc


class Signer:
    """The ceilings of this process, bound by create_app."""

    def __init__(self) -> None:
        self._ceilings: Mapping[str, Ceiling] = {}

    def bind(self, written: Mapping[str, str]) -> None:
        """Set the ceilings: of each network by itself, and of ``ALL`` together.

        Raises:
            ValueError: one of them is not written as ``Ceiling.parse`` reads it.
        """
        self._ceilings = {where: Ceiling.parse(text) for where, text in written.items() if text}

    def admit(self, payouts: Sequence[Payout]) -> Mapping[str, NotReady]:
        """Let payouts be signed in the caller's transaction, and count them one after the other.

        The caller holds their network's switch, so that no two count at the same time. A payout
        that is signed anew was counted the first time.

        Returns:
            Payout id → why it is not admitted: it is above a ceiling (``over_payout_ceiling``,
            ``over_hour_ceiling``, ``over_day_ceiling``), or the book holds nothing for it
            (``hold_missing``).
        """
        found = without_hold(payouts)
        first = [each for each in payouts if each.id not in found and each.tx_hash is None]
        return found if not first or not self._ceilings else found | self._count(first)

    def rooms(self) -> Sequence[Room]:
        """Say how much was signed under each ceiling of an hour or a day."""
        return [
            Room(where, period, _signed(where, length), most)
            for where, ceiling in self._ceilings.items()
            for period, length, most in (("hour", HOUR, ceiling.hour), ("day", DAY, ceiling.day))
            if most is not None
        ]

    def _count(self, payouts: Sequence[Payout]) -> dict[str, NotReady]:
        if ALL in self._ceilings:
            current().execute(select(func.pg_advisory_xact_lock(_LOCK)))
        refused, tally = dict[str, NotReady](), _Tally()
        for payout in payouts:
            try:
                for where in (payout.network, ALL):
                    self._check(where, payout, tally)
            except NotReady as why:
                refused[payout.id] = why
            else:
                tally.add(payout.amount_micro)
        if tally.added:
            _write(payouts[0].network, tally.added)
        return refused

    def _check(self, where: str, payout: Payout, tally: "_Tally") -> None:
        ceiling, amount = self._ceilings.get(where, Ceiling()), payout.amount_micro
        asked: Sequence[tuple[str, Usdc | None, Callable[[], Usdc]]] = (
            ("payout", ceiling.single, lambda: ZERO),
            ("hour", ceiling.hour, lambda: tally.signed(where, HOUR)),
            ("day", ceiling.day, lambda: tally.signed(where, DAY)),
        )
        for name, most, signed in asked:
            if most is not None and signed() + amount > most:
                code = f"over_{name}_ceiling"
                log.error("payout_over_ceiling", payout_id=payout.id, code=code, where=where)
                raise NotReady(code, f"{amount} USDC more would be above {most}, {where}")


class _Tally:
    """What was signed, read once, and what one transaction adds to it."""

    def __init__(self) -> None:
        self.added = ZERO
        self._read: dict[tuple[str, timedelta], Usdc] = {}

    def signed(self, where: str, length: timedelta) -> Usdc:
        """Return what was signed in a period until now."""
        if (where, length) not in self._read:
            self._read[where, length] = _signed(where, length)
        return self._read[where, length] + self.added

    def add(self, amount: Usdc) -> None:
        """Count one more."""
        self.added += amount


signer = Signer()


def without_hold(payouts: Sequence[Payout]) -> dict[str, NotReady]:
    """Return those of some payouts for which the book holds something else, or nothing.

    Returns:
        Payout id → ``hold_missing``.
    """
    held = ledger.held([Hold(each.id, each.user_id, each.total, each.source) for each in payouts])
    return {each.id: _hold_missing(each) for each in payouts if each.id not in held}


def _signed(where: str, length: timedelta) -> Usdc:
    # Whole minutes, the one in which the period began with them: rather too much than too little.
    since = clock.now() - length - timedelta(minutes=1)
    found = select(func.sum(SignedMinute.micro)).where(SignedMinute.minute > since)
    if where != ALL:
        found = found.where(SignedMinute.network == where)
    return db.session.scalar(found) or ZERO


def _hold_missing(payout: Payout) -> NotReady:
    log.error("payout_without_hold", payout_id=payout.id, total=str(payout.total))
    return NotReady("hold_missing", "the book holds something else for it, or nothing")


def _write(network: str, added: Usdc) -> None:
    minute = clock.now().replace(second=0, microsecond=0)
    row = {"network": network, "minute": minute, "micro": added}
    counted = insert(SignedMinute).values(row)
    current().execute(
        counted.on_conflict_do_update(
            index_elements=["network", "minute"],
            set_={"micro": SignedMinute.micro + counted.excluded.micro},
        )
    )
    old = (SignedMinute.network == network) & (SignedMinute.minute < minute - _KEPT)
    current().execute(delete(SignedMinute).where(old))
