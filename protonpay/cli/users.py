"""`flask users`: look people up, stop an account, let it go on."""

import click
from flask.cli import AppGroup

from protonpay.auth import factor_resets
from protonpay.auth import service as auth
from protonpay.cli.acts import REASON
from protonpay.cli.kyc import kyc
from protonpay.cli.people import acting, find
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.passkeys import service as passkeys
from protonpay.store.db import transaction
from protonpay.two_factor import service as two_factor
from protonpay.users import service

users = AppGroup("users", help="People and their accounts.")
users.add_command(kyc)


@users.command()
@click.argument("email")
def show(email: str) -> None:
    """Show the account of an e-mail address."""
    user = find(email)
    available, held = (ledger.balance(name(user.id)) for name in (chart.available, chart.held))
    click.echo(f"{user.id}  {user.public_id}  {user.email}  {user.name}")
    click.echo(f"{user.standing}, plan {user.plan}, since {user.created_at:%Y-%m-%d}")
    if user.withdrawals_frozen_at is not None:
        click.echo(f"withdrawals frozen since {user.withdrawals_frozen_at:%Y-%m-%d %H:%M} UTC")
    reset_at = factor_resets.due_at(user.id)
    if reset_at is not None:
        click.echo(f"second factor is taken away at {reset_at:%Y-%m-%d %H:%M} UTC")
    click.echo(f"available {available} USDC, held {held} USDC")


@users.command()
@click.argument("email")
@REASON
def suspend(email: str, reason: str) -> None:
    """Stop an account: no sign-in, its sessions end at once, and nothing leaves it."""
    with acting("users.suspend", email, reason) as user:
        ended = auth.suspend(user.id)
    click.echo(f"{email}: suspended, {ended} sessions ended")


@users.command()
@click.argument("email")
@REASON
def reinstate(email: str, reason: str) -> None:
    """Let a suspended account sign in again."""
    with acting("users.reinstate", email, reason) as user:
        auth.reinstate(user.id)
    click.echo(f"{email}: active")


@users.command()
@click.argument("email")
@REASON
def freeze(email: str, reason: str) -> None:
    """Let nothing leave an account, until it is thawed; what comes in is credited."""
    with acting("users.freeze", email, reason) as user:
        service.freeze(user.id)
    click.echo(f"{email}: withdrawals frozen")


@users.command()
@click.argument("email")
@REASON
def thaw(email: str, reason: str) -> None:
    """Let money leave an account again, once it is certain whose hand it is in."""
    with acting("users.thaw", email, reason) as user:
        service.thaw(user.id)
    click.echo(f"{email}: withdrawals allowed")


@users.command("reset-2fa")
@click.argument("email")
@REASON
def reset_two_factor(email: str, reason: str) -> None:
    """Take away what somebody has lost, app and passkeys, in 48 hours, once you know who they are.

    They are written to at once, and can stop it.
    """
    user_id = find(email).id
    if not two_factor.is_enabled(user_id) and not passkeys.count(user_id):
        raise click.ClickException(f"{email} has no second factor")
    with acting("users.reset-2fa", email, reason) as user:
        due_at = factor_resets.ask(user.id)
    click.echo(f"{email}: no second factor from {due_at:%Y-%m-%d %H:%M} UTC on")


@users.command("keep-2fa")
@click.argument("email")
@REASON
def keep_two_factor(email: str, reason: str) -> None:
    """Stop what reset-2fa has begun."""
    with acting("users.keep-2fa", email, reason) as user, transaction():
        stopped = factor_resets.stop(service.lock(user.id))
    click.echo(f"{email}: the second factor stays" if stopped else f"{email}: nothing to stop")
