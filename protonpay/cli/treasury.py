"""`flask ops sweep`, `flask ops sweeps`: move deposits to the treasury, see what does not go."""

import click

from protonpay.chains.registry import NETWORKS
from protonpay.cli.choices import OneOf
from protonpay.cli.ops import ops
from protonpay.treasury import service


@ops.command()
@click.option("--network", type=OneOf(lambda: NETWORKS), help="One of them only.")
@click.option("--everything", is_flag=True, help="However little lies there.")
def sweep(network: str | None, *, everything: bool) -> None:
    """Ask for sweeps of deposit addresses now."""
    for name in [network] if network else NETWORKS:
        service.ask(name, everything=everything)
        click.echo(f"{name}: asked for.")


@ops.command()
def sweeps() -> None:
    """Show what lies on deposit addresses, what moves, and what is held and why."""
    click.echo(f"{'network':<10}{'lying':>18}{'moving':>18}{'held':>18}")
    for name, now in service.standing().items():
        click.echo(f"{name:<10}{now.lying!s:>18}{now.moving!s:>18}{now.held!s:>18}")
    for row in service.held():
        since = f"{row.created_at:%Y-%m-%d %H:%M}"
        click.echo(
            f"{row.id}  {since}  {row.network} {row.address}  {row.amount_micro}  {row.reason}"
        )
