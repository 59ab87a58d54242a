"""`flask kyc`: who waits to be known, what they submitted, and the decision."""

import getpass
from pathlib import Path

import click
from flask.cli import AppGroup

from protonpay.audit import service as audit
from protonpay.cli.acts import REASON, refusals_said
from protonpay.cli.people import acting, find
from protonpay.kyc import documents, service
from protonpay.kyc.service import Person
from protonpay.kyc.states import REASONS
from protonpay.store.db import transaction
from protonpay.users.states import LEVELS

_LEVEL = click.IntRange(LEVELS[0], LEVELS[-1])

kyc = AppGroup("kyc", help="Identity checks that wait for a decision.")


@kyc.command("list")
def list_waiting() -> None:
    """Show who waits, the oldest first, with all they submitted."""
    for case in service.waiting():
        click.echo(f"{case.email}  submitted {case.submitted_at:%Y-%m-%d %H:%M} UTC")
        _show(case.person)
        count = len(documents.submitted(case.user_id))
        if count:
            click.echo(f"    {count} documents: flask kyc show {case.email}")


@kyc.command()
@click.argument("email")
def show(email: str) -> None:
    """Show somebody's case, and which documents there are."""
    user = find(email)
    standing = service.standing(user.id)
    said = f", {standing.reason}" if standing.reason else f", level {user.identity_level}"
    click.echo(f"{email}: {standing.status}{said}")
    with refusals_said():
        _show(service.person(user.id))
    for each in documents.submitted(user.id):
        dropped = "" if each.dropped_at is None else f", dropped {each.dropped_at:%Y-%m-%d}"
        click.echo(
            f"    {each.id}  {each.kind}  {each.media_type}, {each.size_bytes} bytes,"
            f" {each.uploaded_at:%Y-%m-%d %H:%M} UTC{dropped}"
        )


@kyc.command()
@click.argument("document_id")
@click.option(
    "--to",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A new file, readable by you alone; remove it when you have looked.",
)
@REASON
def document(document_id: str, to: Path, reason: str) -> None:
    """Write one document into a file; that you looked stands in the audit log."""
    # First the place: nothing is written down about a look that could not happen.
    try:
        to.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise click.ClickException(f"{to}: {error.strerror}") from error
    who = audit.Operator(getpass.getuser(), "terminal")
    try:
        with refusals_said(), transaction():
            opened = documents.opened(document_id)
            subject, seen = f"user {opened.document.user_id}", {"document": document_id}
            audit.looked(who, "kyc.documents.look", subject, reason, seen)
    except BaseException:
        to.unlink()
        raise
    to.write_bytes(opened.content)
    click.echo(f"{to}: {opened.document.kind}, {opened.document.media_type}")


@kyc.command()
@click.argument("email")
@click.option("--note", default="as submitted", help="Kept in the audit log for ever.")
@click.option("--level", default=LEVELS[0], type=_LEVEL, help="How well they are known now.")
def approve(email: str, note: str, level: int) -> None:
    """Approve somebody's identity."""
    with acting("users.kyc.approve", email, note) as user:
        service.approve(user.id, level)
    click.echo(f"{email}: approved")


@kyc.command()
@click.argument("email")
@click.argument("number", type=_LEVEL)
@REASON
def level(email: str, number: int, reason: str) -> None:
    """Give somebody whose identity is approved another level: limits follow at once."""
    with acting("users.kyc.level", email, reason) as user:
        service.set_level(user.id, number)
    click.echo(f"{email}: level {number}")


@kyc.command()
@click.argument("email")
@click.option("--reason", required=True, type=click.Choice(REASONS), help="What they are told.")
def reject(email: str, reason: str) -> None:
    """Reject somebody's identity; they may submit another case."""
    with acting("users.kyc.reject", email, reason) as user:
        service.reject(user.id, reason)
    click.echo(f"{email}: rejected, {reason}")


def _show(person: Person) -> None:
    click.echo(f"    {person.full_name}, born {person.date_of_birth}, {person.country}")
    click.echo(f"    {person.document_kind} {person.document_number}")
