"""`flask ops adjust`: corrections of the book, by two people."""

import getpass

import click
from flask.cli import AppGroup

from protonpay.adjustments import service
from protonpay.adjustments.service import Adjustment
from protonpay.audit.service import Operator
from protonpay.cli.acts import BY, REASON, refusals_said
from protonpay.kernel.money import Usdc

adjust_group = AppGroup("adjust", help="Corrections of the book: one proposes, another approves.")


@adjust_group.command()
@click.argument("source")
@click.argument("destination")
@click.argument("amount")
@click.option("--reference", help="A name for it: the same once more is the same proposal.")
@REASON
@BY
def propose(
    source: str, destination: str, amount: str, reference: str | None, reason: str, by: str
) -> None:
    """Ask for USDC to be moved from one account to another (user:ID:available, revenue:fees …)."""
    try:
        exact = Usdc.parse(amount)
    except ValueError as error:
        raise click.BadParameter(f"{amount} is no exact amount of USDC.") from error
    with refusals_said():
        row = service.propose(
            _who(by),
            source=source,
            destination=destination,
            amount=exact,
            reason=reason,
            reference=reference,
        )
    click.echo(f"{row.id}: waits for somebody else to approve it.")


@adjust_group.command("list")
def list_waiting() -> None:
    """Show what waits for a second person."""
    for row in service.waiting():
        click.echo(f"{row.id}  {row.proposed_at:%Y-%m-%d %H:%M}  {row.proposed_by}: {row.reason}")
        click.echo(f"    {row.amount_micro} USDC  {row.source} → {row.destination}")


@adjust_group.command()
@click.argument("adjustment_id")
@REASON
@BY
def approve(adjustment_id: str, reason: str, by: str) -> None:
    """Post a correction that somebody else proposed."""
    with refusals_said():
        _say(service.approve(_who(by), adjustment_id, reason=reason))


@adjust_group.command()
@click.argument("adjustment_id")
@REASON
@BY
def refuse(adjustment_id: str, reason: str, by: str) -> None:
    """End a proposal without an entry."""
    with refusals_said():
        _say(service.refuse(_who(by), adjustment_id, reason=reason))


def _who(name: str) -> Operator:
    login = getpass.getuser()
    return Operator(name, "terminal" if name == login else f"terminal of {login}")


def _say(row: Adjustment) -> None:
    click.echo(f"{row.id}: {row.state}, {row.amount_micro} USDC {row.source} → {row.destination}")
