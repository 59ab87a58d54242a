"""`flask ops ledger-head`, `ledger-export`, `ledger-reserves`: what others verify us by."""

from datetime import timedelta

import click
from flask.cli import with_appcontext

from protonpay.kernel.errors import Refusal
from protonpay.ledger import seals
from protonpay.proofs import queries, reserves, service
from protonpay.proofs.digests import reserve_line


@click.command("ledger-head")
@click.option("--unknown", is_flag=True, help="Publish now, with what is not known as unknown.")
@with_appcontext
def head(unknown: bool) -> None:  # noqa: FBT001 - a flag of the command line
    """Take a head of the book now, read the reserves, and publish it."""
    try:
        number = service.take()
        while reserves.read():
            pass
        published = service.publish(timedelta(0)) if unknown else service.publish()
    except Refusal as refusal:
        raise click.ClickException(refusal.detail) from refusal
    if number in published:
        click.echo(f"head {number}: {queries.facts(queries.newest()).hash.hex()}")
    else:
        click.echo(f"head {number}: taken; published when its reserves are read.")


@click.command("ledger-export")
@click.option("--first", default=1, show_default=True, help="Position to begin with.")
@click.option("--last", type=int, help="Position to end with; the end by default.")
@with_appcontext
def export_chain(first: int, last: int | None) -> None:
    """Print the chain of entries, one JSON object a line."""
    for position, shown, entry in seals.export(first, last):
        click.echo(f'{{"position":{position},"hash":"{shown}","entry":{entry}}}')


@click.command("ledger-reserves")
@with_appcontext
def export_reserves() -> None:
    """Print what each address held for the newest published head, one JSON array a line."""
    try:
        number = queries.newest().number
    except Refusal as refusal:
        raise click.ClickException(refusal.detail) from refusal
    for reserve in reserves.of_head(number):
        click.echo(reserve_line(reserve))
