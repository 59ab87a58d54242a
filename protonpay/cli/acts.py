"""Operators' commands that change something: each says why, and stands in the audit log."""

import getpass
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from protonpay.audit import service as audit
from protonpay.kernel.errors import Refusal

REASON = click.option("--reason", required=True, help="Why; kept in the audit log for ever.")
BY = click.option("--by", default=getpass.getuser, help="Who; the login, if not named.")


@contextmanager
def act(
    action: str,
    subject: str,
    reason: str,
    *,
    look: Callable[[], Mapping[str, Any]] | None = None,
    by: str | None = None,
) -> Iterator[None]:
    """Do something from a terminal and write it down, both or neither; a refusal is said."""
    who = audit.Operator(by or getpass.getuser(), "terminal")
    with refusals_said(), audit.recorded(who, action, subject, reason, look):
        yield


@contextmanager
def attempt(action: str, subject: str, reason: str) -> Iterator[None]:
    """Do something of several commits from a terminal, its beginning and its end written down."""
    who = audit.Operator(getpass.getuser(), "terminal")
    with refusals_said(), audit.attempted(who, action, subject, reason):
        yield


@contextmanager
def refusals_said() -> Iterator[None]:
    """Say a refusal in one sentence, and exit 1."""
    try:
        yield
    except Refusal as refusal:
        raise click.ClickException(refusal.detail) from refusal


@click.command("audit-log")
@click.option("--subject", help="Only of this: 'user ID', 'rail Base' …")
@click.option("--verify", is_flag=True, help="Follow the whole chain instead; exit 1 if broken.")
def audit_log(subject: str | None, *, verify: bool) -> None:
    """Show what operators did, newest first, or prove that nothing of it is missing."""
    if verify:
        _verify()
        return
    for entry in audit.entries(subject=subject):
        click.echo(f"{entry.number}  {entry.at:%Y-%m-%d %H:%M:%S}  {entry.actor} ({entry.origin})")
        click.echo(f"    {entry.action}  {entry.subject}: {entry.reason}")
        names = [name for name in entry.after if entry.before.get(name) != entry.after[name]]
        for name in sorted(names):
            click.echo(f"    {name}: {entry.before.get(name)} → {entry.after[name]}")


def _verify() -> None:
    checked = audit.check()
    click.echo(f"{checked.count} entries, head {checked.head.hex()}")
    if checked.broken_at is not None:
        raise click.ClickException(f"the chain breaks at entry {checked.broken_at}")
