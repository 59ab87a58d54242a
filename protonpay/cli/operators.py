"""`flask operators`: who runs this installation, and as what."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import click
from flask.cli import AppGroup

from protonpay.cli.acts import REASON, act
from protonpay.operators import service
from protonpay.operators.service import Role
from protonpay.users.service import email_key

operators = AppGroup("operators", help="People who run this installation, each with one role.")

_ROLE = click.Choice([str(role) for role in Role])
_NEW_PASSWORD = click.option(
    "--password", prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for."
)


@operators.command()
@click.argument("email")
@click.option("--name", required=True)
@click.option("--role", required=True, type=_ROLE)
@_NEW_PASSWORD
@REASON
def add(email: str, name: str, role: str, password: str, reason: str) -> None:
    """Add somebody; they are no client, whatever accounts they have."""
    with act("operators.add", f"operator {email}", reason, look=partial(_told, email)):
        service.add(email=email, name=name, role=Role(role), password=password)
    click.echo(f"{email}: {role}")


@operators.command("list")
def list_operators() -> None:
    """Show everybody, with their role."""
    for each in service.listed():
        standing = "" if each.disabled_at is None else f"  disabled {each.disabled_at:%Y-%m-%d}"
        click.echo(f"{each.role:<12}{each.email}  {each.name}{standing}")


@operators.command()
@click.argument("email")
@click.argument("role", type=_ROLE)
@REASON
def role(email: str, role: str, reason: str) -> None:
    """Give somebody another role in place of theirs; their sessions end."""
    with act("operators.role", f"operator {email}", reason, look=partial(_told, email)):
        service.set_role(email, Role(role))
    click.echo(f"{email}: {role}")


@operators.command()
@click.argument("email")
@_NEW_PASSWORD
@REASON
def password(email: str, password: str, reason: str) -> None:
    """Give somebody another password; their sessions end."""
    with act("operators.password", f"operator {email}", reason):
        service.set_password(email, password)
    click.echo(f"{email}: another password")


@operators.command()
@click.argument("email")
@REASON
def disable(email: str, reason: str) -> None:
    """Let somebody do nothing any more, at once and for good."""
    with act("operators.disable", f"operator {email}", reason, look=partial(_told, email)):
        service.disable(email)
    click.echo(f"{email}: disabled")


def _told(email: str) -> Mapping[str, Any]:
    found = [each for each in service.listed() if each.email_key == email_key(email)]
    return {each.id: {"role": each.role, "disabledAt": each.disabled_at} for each in found}
