"""The terms of an account, read from its plan."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from protonpay.chains.registry import NETWORKS, unsupported
from protonpay.kernel.money import ZERO, Usdc
from protonpay.plans.models import Plan
from protonpay.store.db import db
from protonpay.users import service as users

DEFAULT = "default"
_REMEMBERED_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Terms:
    """A plan as its numbers.

    Attributes:
        withdrawal_fees: network → flat fee.
        single_limit: largest withdrawal; ``daily_limit``: sum of 24 hours, rolling.
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

    def withdrawal_fee(self, network: str, amount: Usdc) -> Usdc:
        """Return what a withdrawal costs on top of its amount.

        Raises:
            Invalid: the plan has no fee for the network (``unsupported_network``).
        """
        flat = self.withdrawal_fees.get(network)
        if flat is None:
            raise unsupported(self.withdrawal_fees)
        return flat + amount.share_ceil(self.withdrawal_fee_bps)

    def deposit_commission(self, amount: Usdc) -> Usdc:
        """Return the part of a deposit that is ours."""
        return amount.share_ceil(self.deposit_commission_bps) if amount else ZERO


class _Remembered:
    """Plans read a moment ago: they change by an operator's hand, a request reads them."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Terms]] = {}

    def get(self, name: str) -> Terms:
        known = self._known.get(name)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        terms = _read(name)
        self._known[name] = (time.monotonic() + _REMEMBERED_SECONDS, terms)
        return terms

    def forget(self) -> None:
        self._known.clear()


_remembered = _Remembered()


def terms(plan: str) -> Terms:
    """Return the terms of a plan, at most half a minute old.

    Raises:
        LookupError: no such plan: a bug, plans are not deleted.
    """
    return _remembered.get(plan)


def terms_of(user_id: str) -> Terms:
    """Return the terms of a user's plan.

    Raises:
        NotFound: there is no such user.
    """
    return terms(users.get(user_id).plan)


def forget() -> None:
    """Drop what this process remembers of plans."""
    _remembered.forget()


def _read(name: str) -> Terms:
    plan = db.session.get(Plan, name, populate_existing=True)
    if plan is None:
        raise LookupError(f"no plan {name}")
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
