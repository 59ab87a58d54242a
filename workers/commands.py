"""`flask worker` and `flask scheduler`: the processes beside the web."""

import click
from flask.cli import ScriptInfo, with_appcontext

from config import Config
from protonpay.app import unlock
from protonpay.store.jobs import CHAIN, QUEUES, SETTLE
from workers import pool, rounds


@click.command()
@click.argument("queues", nargs=-1, type=click.Choice(QUEUES))
@click.pass_context
@with_appcontext
def worker(context: click.Context, queues: tuple[str, ...]) -> None:
    """Serve queues, one process each; a name given twice gets two. All, if none is named."""
    served = queues or QUEUES
    if CHAIN in served and SETTLE not in served:
        served = (*served, SETTLE)
    if CHAIN in served:
        unlock(Config.load())
    pool.serve(context.ensure_object(ScriptInfo).load_app(), served)


@click.command()
@with_appcontext
def scheduler() -> None:
    """Ring for periodic work; of several schedulers one rings and the others stand by."""
    rounds.run(Config.load().database_url)
