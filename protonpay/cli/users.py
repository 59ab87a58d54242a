"""`flask users`: look people up, stop an account, let it go on, decide who they are."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import AppGroup

from protonpay.auth import service as auth
from protonpay.auth import two_steps
from protonpay.kernel.errors import Refusal
from protonpay.kyc import service as checks
from protonpay.kyc.states import REASONS
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.two_factor import service as two_factor
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
    if user.withdrawals_frozen_at is not None:
        click.echo(f"withdrawals frozen since {user.withdrawals_frozen_at:%Y-%m-%d %H:%M} UTC")
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


@users.command()
@click.argument("email")
def freeze(email: str) -> None:
    """Let nothing leave an account, until it is thawed; what comes in is credited."""
    service.freeze(_find(email).id)
    click.echo(f"{email}: withdrawals frozen")


@users.command()
@click.argument("email")
def thaw(email: str) -> None:
    """Let money leave an account again, once it is certain whose hand it is in."""
    service.thaw(_find(email).id)
    click.echo(f"{email}: withdrawals allowed")


@users.command("reset-2fa")
@click.argument("email")
def reset_two_factor(email: str) -> None:
    """Take away the second factor of somebody who has lost it, once you know who they are."""
    user = _find(email)
    if not two_factor.is_enabled(user.id):
        raise click.ClickException(f"{email} has no second factor")
    ended = two_steps.reset(user.id)
    click.echo(f"{email}: no second factor any more, {ended} sessions ended")


@users.group()
def kyc() -> None:
    """Identity checks that wait for a decision."""


@kyc.command("list")
def list_waiting() -> None:
    """Show who waits, the oldest first, with all they submitted."""
    for case in checks.waiting():
        person = case.person
        click.echo(f"{case.email}  submitted {case.submitted_at:%Y-%m-%d %H:%M} UTC")
        click.echo(f"    {person.full_name}, born {person.date_of_birth}, {person.country}")
        click.echo(f"    {person.document_kind} {person.document_number}")


@kyc.command()
@click.argument("email")
def approve(email: str) -> None:
    """Approve somebody's identity."""
    with _refusals_said():
        checks.approve(_find(email).id)
    click.echo(f"{email}: approved")


@kyc.command()
@click.argument("email")
@click.option("--reason", required=True, type=click.Choice(REASONS), help="What they are told.")
def reject(email: str, reason: str) -> None:
    """Reject somebody's identity; they may submit another case."""
    with _refusals_said():
        checks.reject(_find(email).id, reason)
    click.echo(f"{email}: rejected, {reason}")


@contextmanager
def _refusals_said() -> Iterator[None]:
    try:
        yield
    except Refusal as refusal:
        raise click.ClickException(refusal.detail) from refusal


def _find(email: str) -> User:
    user = service.find_by_email(email)
    if user is None:
        raise click.ClickException("Nobody has this address.")
    return user
