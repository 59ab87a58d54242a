"""`flask ops holds`: what is on hold because an address is listed."""

import click
from flask.cli import AppGroup

from protonpay.cli.acts import REASON, attempt
from protonpay.holds import service as holds

holds_group = AppGroup("holds", help="Deposits and payouts of listed addresses.")


@holds_group.command("list")
def list_holds() -> None:
    """Show what is on hold and why."""
    for hold in holds.listed():
        since = f"{hold.since:%Y-%m-%d %H:%M}"
        way = "to" if hold.kind == "payout" else "from"
        click.echo(
            f"{hold.id}  {since}  {hold.kind} of {hold.amount} USDC {way} {hold.address}"
            f" on {hold.network}  user {hold.user_id}"
        )
        back = f"; payout {hold.returned_by} sends it back" if hold.returned_by else ""
        click.echo(f"    {hold.why}{back}")


@holds_group.command()
@click.argument("hold_id")
@REASON
def release(hold_id: str, reason: str) -> None:
    """Credit a deposit to its user after all, or let a payout go on."""
    with attempt("holds.release", f"hold {hold_id}", reason):
        hold = holds.release(hold_id, reason)
    click.echo(f"{hold_id}: {hold.kind} released.")


@holds_group.command()
@click.argument("hold_id")
@REASON
def refund(hold_id: str, reason: str) -> None:
    """Send a deposit back to its sender, or give a payout's money back to its user."""
    with attempt("holds.refund", f"hold {hold_id}", reason):
        hold = holds.refund(hold_id, reason)
    what = "is given back" if hold.kind == "payout" else "is sent back to its sender"
    click.echo(f"{hold_id}: {hold.kind} {what}.")
