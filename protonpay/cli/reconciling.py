"""`flask ops reconcile`, `cases`, `explain`, `misdirected`: how book, chains, providers agree."""

import json
import sys
from collections.abc import Sequence
from functools import partial

import click
from flask.cli import with_appcontext

from protonpay.cli.acts import BY, REASON, act
from protonpay.invoices import lookups
from protonpay.kernel.errors import Refusal
from protonpay.reconciliation import explaining
from protonpay.reconciliation import service as reconciliation
from protonpay.reconciliation.service import KINDS, Line, ReconciliationCase

_DIFFERS, _UNKNOWN = 1, 3


@click.command()
@click.option("--rail", "named", help="A network, a provider or ledger; all, if none is named.")
@with_appcontext
def reconcile(named: str | None) -> None:
    """Compare every rail now; exit 1 if one differs, 3 if one did not answer."""
    rails = reconciliation.rails()
    if named is not None and named not in rails:
        raise click.BadParameter(f"Choose one of: {', '.join(rails)}.", param_hint="--rail")
    lines = [reconciliation.reconcile(rail) for rail in rails if named in (None, rail)]
    _show(lines)
    states = {line.state for line in lines}
    if states & {"DIFFERS", "seen"}:
        sys.exit(_DIFFERS)
    sys.exit(0 if states <= {"ok"} else _UNKNOWN)


@click.command()
@click.option("--all", "every", is_flag=True, help="Those that are resolved, too.")
@with_appcontext
def cases(every: bool) -> None:  # noqa: FBT001 - a flag of the command line
    """List mismatches with what proves them and what to do."""
    for case in reconciliation.newest() if every else reconciliation.open_cases():
        _show_case(case)


@click.command("close-case")
@click.argument("case_id", type=int)
@REASON
@BY
def close_case(case_id: int, reason: str, by: str) -> None:
    """Close a case that was settled with a card provider who says nothing of it any more.

    Found again, it is open again, and its rail paused.
    """
    look = partial(reconciliation.look_at, case_id)
    with act("cases.close", f"case {case_id}", reason, look=look, by=by):
        reconciliation.close(case_id, by=by, reason=reason)
    click.echo(f"Case {case_id} is closed.")


@click.command()
@click.argument("network")
@click.argument("transaction")
@click.argument("address", required=False)
@with_appcontext
def explain(network: str, transaction: str, address: str | None) -> None:
    """Say what a transaction was to us; exit 3 if its node does not answer."""
    try:
        told = explaining.explain(network, transaction, address)
    except Refusal as refusal:
        raise click.ClickException(refusal.detail) from refusal
    elsewhere = "" if told.network == network else f", not on {network}"
    block = "" if told.block is None else f" in block {told.block}"
    click.echo(f"{told.standing or 'UNKNOWN'} on {told.network}{elsewhere}{block}")
    for line in told.lines:
        facts = [line.amount, line.asset, line.address and f"at {line.address}"]
        facts += [line.holder and f"of {line.holder}", line.more and f"({line.more})"]
        click.echo(f"{line.verdict:<15}{explaining.SAID[line.verdict]}")
        if any(facts):
            click.echo(f"{'':<15}{' '.join(fact for fact in facts if fact)}")
    if explaining.Verdict.UNKNOWN in {line.verdict for line in told.lines}:
        sys.exit(_UNKNOWN)


@click.command()
@with_appcontext
def misdirected() -> None:
    """List other coins that payers have found at their invoices' addresses."""
    for one in lookups.wrong():
        click.echo(f"{one.id}  {one.created_at:%Y-%m-%d %H:%M}  invoice {one.invoice_id}")
        click.echo(f"    {one.coin} on {one.network}, transaction {one.tx_hash}")


def _show(lines: Sequence[Line]) -> None:
    head = f"{'rail':<12}{'compared':>9}{'book':>20}{'chain or provider':>20}{'difference':>16}"
    click.echo(f"{head}  state")
    for line in lines:
        numbers = ("-", "-", "-")
        if line.ours is not None and line.theirs is not None:
            numbers = (str(line.ours), str(line.theirs), str(line.theirs - line.ours))
        cells = f"{numbers[0]:>20}{numbers[1]:>20}{numbers[2]:>16}"
        compared = "-" if line.compared is None else line.compared
        click.echo(f"{line.rail:<12}{compared:>9}{cells}  {line.state} {line.said}".rstrip())


def _show_case(case: ReconciliationCase) -> None:
    since = f"{case.opened_at or case.seen_at:%Y-%m-%d %H:%M:%S}"
    click.echo(f"{case.id}  {case.state:<9}{since}  {case.rail}  {case.kind}  {case.subject}")
    click.echo(f"    {json.dumps(case.evidence, sort_keys=True)}")
    if case.state == "RESOLVED":
        by = f" by {case.closed_by}" if case.closed_by else ""
        click.echo(f"    closed {case.closed_at:%Y-%m-%d %H:%M:%S}{by}: {case.note}")
    else:
        click.echo(f"    {KINDS[case.kind].mend}")
