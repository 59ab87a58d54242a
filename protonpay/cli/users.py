"""`flask users`: look people up."""

import sys

import click
from flask.cli import AppGroup

from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.users import service

users = AppGroup("users", help="People and their accounts.")


@users.command()
@click.argument("email")
def show(email: str) -> None:
    """Show the account of an e-mail address."""
    user = service.find_by_email(email)
    if user is None:
        click.echo("Nobody has this address.", err=True)
        sys.exit(1)
    available, held = (ledger.balance(name(user.id)) for name in (chart.available, chart.held))
    click.echo(f"{user.id}  {user.public_id}  {user.email}  {user.name}")
    click.echo(f"{user.standing}, plan {user.plan}, since {user.created_at:%Y-%m-%d}")
    click.echo(f"available {available} USDC, held {held} USDC")
