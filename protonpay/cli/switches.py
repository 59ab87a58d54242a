"""`flask ops payouts` and `flask ops cards`: stop a rail, let it go on, see what waits."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import click
from flask.cli import AppGroup

from protonpay.cards.registry import PROVIDERS
from protonpay.chains.registry import NETWORKS
from protonpay.cli.acts import BY, REASON, act
from protonpay.cli.choices import OneOf
from protonpay.payouts import waits
from protonpay.payouts.ceilings import ALL, signer
from protonpay.rails import service as rails

payouts_group = AppGroup("payouts", help="Stop payouts, let them go on, see which wait.")
switches_group = AppGroup("switches", help="Stop sign-ups or every change by clients.")
cards_group = AppGroup("cards", help="Stop card deposits by a provider, let them go on.")

_NETWORK = click.option(
    "--network", type=OneOf(lambda: NETWORKS), help="One of them; all, if none is named."
)
_SWITCH = click.argument("name", type=click.Choice([rails.SIGN_UPS, rails.WRITES]))
_PROVIDER = click.option(
    "--provider", type=click.Choice(list(PROVIDERS)), help="One of them; all, if none is named."
)


def _said(command: Callable[..., Any]) -> Callable[..., Any]:
    """Ask for the words that are kept with a switch."""
    return REASON(BY(command))


@payouts_group.command("pause")
@_NETWORK
@_said
def pause_payouts(network: str | None, reason: str, by: str) -> None:
    """Sign no payout any more; what is signed already goes on to its end."""
    _move(rails.pause, [network] if network else list(NETWORKS), reason, by)


@payouts_group.command("resume")
@_NETWORK
@_said
def resume_payouts(network: str | None, reason: str, by: str) -> None:
    """Let payouts be signed again; what waited goes on by itself."""
    _move(rails.resume, [network] if network else list(NETWORKS), reason, by)


@payouts_group.command()
def status() -> None:
    """Show the switches, what waits for what, and how near the signer is to its ceilings."""
    _show_switches(list(NETWORKS))
    for line in waits.lines():
        click.echo(
            f"{line.network:<12}{line.count} waiting: {line.reason}, {line.total} USDC,"
            f" for {line.seconds} s"
        )
    for room in signer.rooms():
        where = "all" if room.where == ALL else room.where
        click.echo(f"{where:<12}{room.signed} of {room.ceiling} USDC signed in the {room.period}")


@payouts_group.command()
def changes() -> None:
    """Show who moved which switch when and why, newest first."""
    for change in rails.changes():
        what = "paused" if change.paused else "resumed"
        when = f"{change.changed_at:%Y-%m-%d %H:%M:%S}"
        click.echo(f"{when}  {change.rail:<12}{what:<9}{change.changed_by}: {change.reason}")


@cards_group.command("pause")
@_PROVIDER
@_said
def pause_cards(provider: str | None, reason: str, by: str) -> None:
    """Open no page for a card deposit any more; what was begun is still credited."""
    _move(rails.pause, [provider] if provider else list(PROVIDERS), reason, by)


@cards_group.command("resume")
@_PROVIDER
@_said
def resume_cards(provider: str | None, reason: str, by: str) -> None:
    """Let card deposits begin again."""
    _move(rails.resume, [provider] if provider else list(PROVIDERS), reason, by)


@cards_group.command("status")
def status_of_cards() -> None:
    """Show the switches of the card providers."""
    _show_switches(list(PROVIDERS))


@switches_group.command("pause")
@_SWITCH
@_said
def pause_switch(name: str, reason: str, by: str) -> None:
    """Open no new accounts (sign-ups), or let clients change nothing (writes)."""
    _move(rails.pause, [name], reason, by)


@switches_group.command("resume")
@_SWITCH
@_said
def resume_switch(name: str, reason: str, by: str) -> None:
    """Let it be as before."""
    _move(rails.resume, [name], reason, by)


@switches_group.command("status")
def status_of_switches() -> None:
    """Show both switches."""
    _show_switches([rails.SIGN_UPS, rails.WRITES])


def _move(move: Callable[..., bool], names: list[str], reason: str, by: str) -> None:
    what = "paused" if move is rails.pause else "open"
    for name in names:
        with act(
            f"rails.{move.__name__}", f"rail {name}", reason, look=partial(_seen, name), by=by
        ):
            moved = move(name, reason=reason, by=by)
        click.echo(f"{name}: {what}{'' if moved else ' already'}.")


def _seen(name: str) -> Mapping[str, bool]:
    return {"paused": rails.paused(name)}


def _show_switches(names: list[str]) -> None:
    standing = {switch.rail: switch for switch in rails.switches()}
    for name in names:
        switch = standing.get(name)
        if switch is None or not switch.paused:
            click.echo(f"{name:<12}open")
        else:
            since = f"{switch.changed_at:%Y-%m-%d %H:%M:%S}"
            click.echo(f"{name:<12}PAUSED since {since} by {switch.changed_by}: {switch.reason}")
