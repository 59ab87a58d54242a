"""`flask users`: look people up, stop an account, let it go on."""

import click
from flask.cli import AppGroup

from protonpay.auth import service as auth
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.users import service
from protonpay.users.service import User

users = AppGroup("users", help="People and their accounts.")


@users.command()
@click.argument("email")
def show(email: str) -> None:
    """Show the account of an e-mail address."""
    user = _find(email)
    available, held = (ledger.balance(name(user.id)) for name in (chart.available, chart.held))
    click.echo(f"{user.id}  {user.public_id}  {user.email}  {user.name}")
    click.echo(f"{user.standing}, plan {user.plan}, since {user.created_at:%Y-%m-%d}")
    click.echo(f"available {available} USDC, held {held} USDC")


@users.command()
@click.argument("email")
def suspend(email: str) -> None:
    """Stop an account: no sign-in, and its sessions end at once."""
    ended = auth.suspend(_find(email).id)
    click.echo(f"{email}: suspended, {ended} sessions ended")


@users.command()
@click.argument("email")
def reinstate(email: str) -> None:
    """Let a suspended account sign in again."""
    auth.reinstate(_find(email).id)
    click.echo(f"{email}: active")


def _find(email: str) -> User:
    user = service.find_by_email(email)
    if user is None:
        raise click.ClickException("Nobody has this address.")
    return user
