"""`flask operators`: who runs this installation, and as what."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import click
from flask.cli import AppGroup

from protonpay.admin import service as admin
from protonpay.cli.acts import REASON, act, refusals_said
from protonpay.cli.switches import payouts_group
from protonpay.operators import service
from protonpay.operators.service import Role
from protonpay.two_factor import codes
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


@operators.command("second-factor")
@click.argument("email")
@click.option("--remove", is_flag=True, help="Ask for no code any more: the app is lost.")
@REASON
def second_factor(email: str, reason: str, *, remove: bool) -> None:
    """Ask somebody for a code of an app as well, from now on; their sessions end."""
    if remove:
        with act("operators.second-factor-removed", f"operator {email}", reason):
            service.remove_second_factor(email)
        click.echo(f"{email}: no second factor")
        return
    with refusals_said():
        known = service.find(email)
    secret = codes.new_secret()
    click.echo(
        f"Put this into an app for one-time codes:\n  {secret}\n  {codes.uri(secret, known.email)}"
    )
    code = click.prompt("The code it shows")
    with act("operators.second-factor", f"operator {email}", reason):
        service.add_second_factor(email, secret, code)
    click.echo(f"{email}: asked for a code from now on")


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


@payouts_group.command("large")
def large_payouts() -> None:
    """Show the payouts that are large and wait for a second person."""
    for one in admin.large_payouts():
        since = f"{one.created_at:%Y-%m-%d %H:%M}"
        to = f"{one.network} {one.wallet_address}"
        click.echo(f"{one.id}  {since}  {one.amount_micro} USDC to {to}  user {one.user_id}")


@payouts_group.command()
@click.argument("payout_id")
@click.option("--as", "email", required=True, help="The address you sign in with.")
@click.option("--password", prompt=True, hide_input=True, help="Asked for.")
@click.option("--code", help="Of your app, if you have a second factor.")
@click.option("--refuse", is_flag=True, help="End it instead, and give its money back.")
@REASON
def decide(
    payout_id: str, email: str, password: str, code: str | None, reason: str, *, refuse: bool
) -> None:
    """Let a large payout go on, as an operator whose role may."""
    with refusals_said():
        by = service.prove(email, password, code, origin="terminal")
        done = (admin.refuse_payout if refuse else admin.approve_payout)(by, payout_id, reason)
    click.echo(f"{payout_id}: {done.state}")
