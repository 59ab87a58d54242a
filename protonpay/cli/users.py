"""`flask users`: look people up, stop an account, let it go on, decide who they are."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click
from flask.cli import AppGroup

from protonpay.auth import passkey_steps
from protonpay.auth import service as auth
from protonpay.cli.acts import REASON, act
from protonpay.kyc import service as checks
from protonpay.kyc.states import REASONS
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.passkeys import service as passkeys
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
@REASON
def suspend(email: str, reason: str) -> None:
    """Stop an account: no sign-in, and its sessions end at once."""
    with _act("suspend", email, reason) as user:
        ended = auth.suspend(user.id)
    click.echo(f"{email}: suspended, {ended} sessions ended")


@users.command()
@click.argument("email")
@REASON
def reinstate(email: str, reason: str) -> None:
    """Let a suspended account sign in again."""
    with _act("reinstate", email, reason) as user:
        auth.reinstate(user.id)
    click.echo(f"{email}: active")


@users.command()
@click.argument("email")
@REASON
def freeze(email: str, reason: str) -> None:
    """Let nothing leave an account, until it is thawed; what comes in is credited."""
    with _act("freeze", email, reason) as user:
        service.freeze(user.id)
    click.echo(f"{email}: withdrawals frozen")


@users.command()
@click.argument("email")
@REASON
def thaw(email: str, reason: str) -> None:
    """Let money leave an account again, once it is certain whose hand it is in."""
    with _act("thaw", email, reason) as user:
        service.thaw(user.id)
    click.echo(f"{email}: withdrawals allowed")


@users.command("reset-2fa")
@click.argument("email")
@REASON
def reset_two_factor(email: str, reason: str) -> None:
    """Take away what somebody has lost, app and passkeys, once you know who they are."""
    user_id = _find(email).id
    if not two_factor.is_enabled(user_id) and not passkeys.count(user_id):
        raise click.ClickException(f"{email} has no second factor")
    with _act("reset-2fa", email, reason) as user:
        ended = passkey_steps.reset(user.id)
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
@click.option("--note", default="as submitted", help="Kept in the audit log for ever.")
def approve(email: str, note: str) -> None:
    """Approve somebody's identity."""
    with _act("kyc.approve", email, note) as user:
        checks.approve(user.id)
    click.echo(f"{email}: approved")


@kyc.command()
@click.argument("email")
@click.option("--reason", required=True, type=click.Choice(REASONS), help="What they are told.")
def reject(email: str, reason: str) -> None:
    """Reject somebody's identity; they may submit another case."""
    with _act("kyc.reject", email, reason) as user:
        checks.reject(user.id, reason)
    click.echo(f"{email}: rejected, {reason}")


@contextmanager
def _act(action: str, email: str, reason: str) -> Iterator[User]:
    user = _find(email)

    def look() -> Mapping[str, Any]:
        now = service.get(user.id)
        return {
            "standing": now.standing,
            "withdrawalsFrozenAt": now.withdrawals_frozen_at,
            "identityApprovedAt": now.identity_approved_at,
            "identity": checks.standing(user.id).status,
            "twoFactor": two_factor.is_enabled(user.id),
            "passkeys": passkeys.count(user.id),
        }

    with act(f"users.{action}", f"user {user.id}", reason, look=look):
        yield user


def _find(email: str) -> User:
    user = service.find_by_email(email)
    if user is None:
        raise click.ClickException("Nobody has this address.")
    return user
