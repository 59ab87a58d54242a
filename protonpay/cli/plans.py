"""`flask plans`: what accounts pay and may do, from when on, and who is on which."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click
from flask.cli import AppGroup

from protonpay.chains.registry import NETWORKS
from protonpay.cli.acts import REASON, act
from protonpay.cli.choices import OneOf
from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.plans import service
from protonpay.users import service as users

plans = AppGroup("plans", help="Fees and limits, and who has which.")

_NAME = OneOf(service.names)
_FEE = "withdrawal_fee."
_OF_A_LEVEL = re.compile(r"level([0-9])\.(single_limit|daily_limit)", re.ASCII)


@plans.command("list")
def list_plans() -> None:
    """Show every plan as it is now, and what is announced of it."""
    for name in service.names():
        _show(name, service.terms_at(name, clock.now()))
        following = service.upcoming(name)
        if following is not None:
            _show(f"  from {following.starts_at:%Y-%m-%d %H:%M} UTC", following.terms)


@plans.command()
@click.argument("name")
@click.option("--like", default=service.DEFAULT, type=_NAME, help="Begins as this one is now.")
@REASON
def create(name: str, like: str, reason: str) -> None:
    """Make a plan; announce what is different about it."""
    with act("plans.create", f"plan {name}", reason):
        service.create(name, like=like)
    click.echo(f"{name}: made like {like}")


@plans.command()
@click.argument("name", type=_NAME)
@click.argument("changes", nargs=-1, required=True)
@click.option("--from", "starts_at", required=True, help="As in 2026-12-01T00:00:00Z.")
@REASON
def announce(name: str, changes: tuple[str, ...], starts_at: str, reason: str) -> None:
    """Change a plan from a moment on: single_limit=20000 withdrawal_fee.Base=0.07.

    Amounts are USDC, shares are in basis points (withdrawal_fee_bps=100 is 1 %),
    needs_kyc=yes|no, cooldown_seconds=60; a fee of none leaves a network out. What an approved
    identity raises: level1.single_limit=50000 level2.daily_limit=250000; none: nothing.
    """
    moment, changed = _moment(starts_at), _changes(changes)
    with act("plans.announce", f"plan {name}", reason, look=lambda: _told(name)):
        following = service.announce(name, starts_at=moment, **changed)
    _show(f"{name} from {following.starts_at:%Y-%m-%d %H:%M} UTC", following.terms)


@plans.command()
@click.argument("email")
@click.argument("name", type=_NAME)
@REASON
def assign(email: str, name: str, reason: str) -> None:
    """Put somebody on a plan."""
    user = users.find_by_email(email)
    if user is None:
        raise click.ClickException("Nobody has this address.")

    def look() -> Mapping[str, str]:
        return {"plan": users.get(user.id).plan}

    with act("plans.assign", f"user {user.id}", reason, look=look):
        service.assign(user.id, name)
    click.echo(f"{email}: plan {name}")


def _told(name: str) -> Mapping[str, Any]:
    following = service.upcoming(name)
    return {"upcoming": None if following is None else following.starts_at}


def _moment(said: str) -> datetime:
    try:
        moment = datetime.fromisoformat(said)
    except ValueError as error:
        raise click.BadParameter("A moment such as 2026-12-01T00:00:00Z.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _changes(said: tuple[str, ...]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for each in said:
        name, _, value = each.partition("=")
        try:
            if name.startswith(_FEE):
                fees = changes.setdefault("withdrawal_fees", {})
                fees[_network(name.removeprefix(_FEE))] = _fee(value)
            elif found := _OF_A_LEVEL.fullmatch(name):
                levels = changes.setdefault("level_limits", {})
                amount = None if value == "none" else Usdc.parse(value)
                levels.setdefault(int(found[1]), {})[f"{found[2]}_micro"] = amount
            else:
                column, read = _READS[name]
                changes[column] = read(value)
        except (KeyError, ValueError) as error:
            raise click.BadParameter(
                f"{each} is no change: {', '.join(_READS)}, {_FEE}Base, level1.single_limit"
            ) from error
    return changes


def _network(name: str) -> str:
    if name not in NETWORKS:
        raise ValueError(name)
    return name


def _fee(value: str) -> int | None:
    return None if value == "none" else Usdc.parse(value).micro


def _yes(value: str) -> bool:
    return {"yes": True, "no": False}[value]


_READS: Mapping[str, tuple[str, Any]] = {
    "single_limit": ("single_limit_micro", Usdc.parse),
    "daily_limit": ("daily_limit_micro", Usdc.parse),
    "transfer_fee": ("transfer_fee_micro", Usdc.parse),
    "withdrawal_fee_bps": ("withdrawal_fee_bps", int),
    "deposit_commission_bps": ("deposit_commission_bps", int),
    "cooldown_seconds": ("cooldown_seconds", int),
    "needs_verified_email": ("needs_verified_email", _yes),
    "needs_kyc": ("needs_kyc", _yes),
}


def _show(head: str, terms: service.Terms) -> None:
    fees = ", ".join(f"{network} {fee}" for network, fee in terms.withdrawal_fees.items())
    click.echo(head)
    click.echo(
        f"    withdrawals {fees} USDC + {terms.withdrawal_fee_bps} bp;"
        f" transfers {terms.transfer_fee} USDC"
    )
    click.echo(
        f"    commission {terms.deposit_commission_bps} bp; cooldown {terms.cooldown_seconds} s"
    )
    click.echo(f"    at most {terms.single_limit} each, {terms.daily_limit} in 24 hours")
    for level in terms.levels:
        raised = terms.at_level(level)
        click.echo(f"    level {level}: at most {raised.single_limit} each, {raised.daily_limit}")
    needs = {"verified address": terms.needs_verified_email, "identity check": terms.needs_kyc}
    click.echo(f"    withdrawals need {', '.join(n for n, on in needs.items() if on) or 'nothing'}")
