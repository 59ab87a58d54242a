"""`flask ops`: look at queues and books, ask for maintenance."""

import sys
from collections.abc import Mapping
from datetime import timedelta

import click
from flask.cli import AppGroup

from protonpay.chains.registry import NETWORKS
from protonpay.cli.acts import REASON, act, attempt
from protonpay.cli.choices import OneOf
from protonpay.deposits import review
from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.ledger import audit as books
from protonpay.ledger import chart, entries
from protonpay.ledger import service as ledger
from protonpay.mail import service as mail
from protonpay.store import beats, outbox
from protonpay.store.jobs import QUEUES, Periodic, rounds
from protonpay.store.queue import failed_jobs, named, ring
from protonpay.telegram import messages

ops = AppGroup("ops", help="Queues, books and maintenance.")


@ops.command()
def audit() -> None:
    """Check every invariant of the book; exit 1 if one is broken."""
    broken = {finding.invariant: finding.detail for finding in books.findings(whole_chain=True)}
    for invariant in books.invariants():
        click.echo(f"{'BROKEN' if invariant in broken else 'ok':<7} {invariant}")
        if invariant in broken:
            click.echo(f"        {broken[invariant]}")
    sys.exit(1 if broken else 0)


@ops.command()
@click.argument("address")
def balance(address: str) -> None:
    """Show the balance of a ledger account (custody:Base, revenue:fees, user:ID:held …)."""
    click.echo(ledger.balance(address))


@ops.command()
def queues() -> None:
    """Show queues, the outbox behind them, and what failed."""
    ages = beats.queue_ages()
    click.echo(f"{'queue':<14}{'waiting':>8}{'failed':>8}{'silent for':>12}")
    for name in QUEUES:
        silent = f"{ages[name]} s" if name in ages else "never seen"
        click.echo(f"{name:<14}{len(named(name)):>8}{failed_jobs(name):>8}{silent:>12}")
    click.echo(f"\n{'outbox':<30}{'waiting':>8}{'due':>6}{'oldest due':>12}{'dead':>6}")
    for line in outbox.backlog():
        late = f"{line.oldest_due_seconds} s"
        click.echo(f"{line.job:<30}{line.waiting:>8}{line.due:>6}{late:>12}{line.dead:>6}")


@ops.command()
def letters() -> None:
    """Show how many letters wait, and how those of the last day ended."""
    waiting = mail.waiting()
    since = "" if waiting.oldest is None else f", the oldest since {waiting.oldest:%Y-%m-%d %H:%M}"
    click.echo(f"{waiting.count} waiting{since}")
    for state, count in mail.counts(clock.now() - timedelta(days=1)).items():
        click.echo(f"{count} {state.lower()} in the last 24 hours")


@ops.command()
def telegram() -> None:
    """Show how many messages wait for Telegram, and how those of the last day ended."""
    for state, count in sorted(messages.counts(clock.now() - timedelta(days=1)).items()):
        click.echo(f"{count} {state.lower()}")


@ops.command()
def dead() -> None:
    """List outbox rows whose retries are used up."""
    for row in outbox.dead_rows():
        click.echo(f"{row.id}  {row.job}  {row.args}  {row.failures} failures  {row.last_error}")


@ops.command()
@click.argument("row_ids", nargs=-1, type=int, required=True)
def replay(row_ids: tuple[int, ...]) -> None:
    """Make dead outbox rows due again."""
    click.echo(f"{outbox.replay(row_ids)} of {len(row_ids)} rows are due again.")


@ops.command()
@click.argument("name", type=OneOf(lambda: sorted(_rounds())))
def run(name: str) -> None:
    """Ask for a round of a maintenance job now."""
    work = _rounds()[name]
    asked = ring(name, work)
    click.echo(f"{name}: {'asked for on' if asked else 'already waiting on'} queue {work.queue}.")


@ops.command()
def jobs() -> None:
    """List the maintenance jobs and how often they come round."""
    for name, work in _rounds().items():
        click.echo(f"{name:<32}{work.queue:<14}every {work.every_seconds} s")


def _rounds() -> Mapping[str, Periodic]:
    return rounds({name: network.by_account for name, network in NETWORKS.items()})


@ops.command("book-capital")
@click.option("--network", required=True, type=OneOf(lambda: NETWORKS), help="One of them.")
@click.option("--amount", required=True, help="USDC, exact.")
@click.option(
    "--reference", required=True, help="Names the payment, usually its hash: booked once."
)
def book_capital(network: str, amount: str, reference: str) -> None:
    """Book the house's own USDC that was put into the treasury of a network."""
    with act("ledger.capital", f"rail {network}", f"{amount} USDC by {reference}"):
        posted = ledger.post(entries.capital(reference, network, Usdc.parse(amount)))
        total = ledger.balance(chart.custody(network))
    click.echo(f"entry {posted.entry_id}{' (stood already)' if posted.replayed else ''}: {total}")


@ops.command()
def deposits() -> None:
    """List card payments that are not as ordered, with what differs."""
    for deposit in review.waiting():
        ordered = f"{deposit.fiat} {deposit.currency}"
        since = f"{deposit.created_at:%Y-%m-%d %H:%M}"
        where = f"{deposit.provider} {deposit.provider_ref}"
        click.echo(f"{deposit.id}  {since}  user {deposit.user_id}  {where}  {ordered}")
        for name, (wanted, said) in (deposit.differences or {}).items():
            click.echo(f"    {name}: ordered {wanted}, the provider says {said}")


@ops.command("credit-deposit")
@click.argument("deposit_id")
@REASON
def credit_deposit(deposit_id: str, reason: str) -> None:
    """Credit what was really paid for a deposit under review."""
    with attempt("deposits.credit", f"deposit {deposit_id}", reason):
        credited = review.let_through(deposit_id, reason)
    click.echo(f"{deposit_id}: {credited} USDC credited.")


@ops.command("close-deposit")
@click.argument("deposit_id")
@REASON
def close_deposit(deposit_id: str, reason: str) -> None:
    """End a deposit under review without a credit."""
    with attempt("deposits.close", f"deposit {deposit_id}", reason):
        review.close(deposit_id, reason)
    click.echo(f"{deposit_id}: closed, nothing was credited.")
