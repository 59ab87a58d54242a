"""``python -m protonpay.stack up``: the whole product in the foreground."""

import asyncio
import ctypes
import json
import os
import shlex
import shutil
import signal
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import config
from protonpay.stack import orphans, plan
from protonpay.stack.child import MARK
from protonpay.stack.console import Console
from protonpay.stack.failures import StackError
from protonpay.stack.home import Home
from protonpay.stack.supervisor import Supervisor, run

_PR_SET_PDEATHSIG = 1
_ORPHAN_SECONDS = 5.0


def up(
    console: Console, *, tied: bool = False, make: Callable[[Home], plan.Plan] = plan.make
) -> int:
    """Run the stack of ``PROTONPAY_HOME`` until told to stop.

    Args:
        console: where to say what happens.
        tied: stop when the parent ends, as when somebody kills make.
        make: says what is to run.

    Returns:
        The exit status.
    """
    if tied:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    home = Home(config.home())
    try:
        home.take()
        home.say()
        return _run_alone(home, console, make)
    except (StackError, config.ConfigError) as failure:
        console.failure(str(failure), [])
        return 1


def _run_alone(home: Home, console: Console, make: Callable[[Home], plan.Plan]) -> int:
    if left := _end_orphans(home):
        console.trouble(f"an earlier run left processes behind: ended {left}")
    _forget_counts(home)
    status = _run(make(home), home, console)
    _end_orphans(home)
    return status


def _end_orphans(home: Home) -> int:
    mark = str(home.folder)
    return orphans.end(lambda: orphans.marked(MARK, mark), signal.SIGTERM, _ORPHAN_SECONDS)


def _forget_counts(home: Home) -> None:
    """Empty the folder in which processes count for Prometheus: those are gone."""
    shutil.rmtree(home.metrics, ignore_errors=True)
    home.metrics.mkdir()


def _run(stack: plan.Plan, home: Home, console: Console) -> int:
    def ready() -> None:
        home.publish(stack.facts)
        _welcome(console, stack.facts)

    def stopping() -> None:
        home.say(web=stack.web, stopping=True)
        home.withdraw()
        console.heading("Stopping")

    home.say(web=stack.web)
    console.heading(f"Starting Proton Pay in {home.folder}")
    mark = str(home.folder)
    supervisor = Supervisor(stack.parts, logs=home.logs, mark=mark, console=console)
    return asyncio.run(run(supervisor, console, ready=ready, stopping=stopping))


def _welcome(console: Console, facts: Mapping[str, Any]) -> None:
    console.line()
    console.heading("Proton Pay is ready")
    console.table(_places(facts))
    console.line()
    console.heading("Next, in another terminal")
    for command in _next(facts):
        console.line(f"  {command}")
    console.line()
    console.line("Ctrl-C stops everything; the next start finds it as it was.")


def _next(facts: Mapping[str, Any]) -> list[str]:
    if "demo" not in facts:
        return [f"curl -s {facts['ready']}"]
    login = f"curl -s {facts['api']}/auth/login -H 'Content-Type: application/json' -d"
    return [_in_this_home("make demo"), f"{login} '{json.dumps(facts['demo'])}'"]


def _places(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [("Portal", facts["portal"]), ("API", facts["api"]), ("Swagger UI", facts["docs"])]
    rows += [("Health", facts["health"])]
    rows += [(name, _shown(chain["rpc"])) for name, chain in facts["chains"].items()]
    rows += [(name.capitalize(), _shown(url)) for name, url in facts["providers"].items()]
    if "demo" in facts:
        account = facts["demo"]
        rows += [("Mail", facts["mail"]), ("Telegram", facts["telegram"])]
        rows += [("Demo account", f"{account['email']}  {account['password']}")]
    return [*rows, ("Logs", facts["logs"])]


def _shown(url: str) -> str:
    """Return an address without what follows the host: a node's may hold a key."""
    place = urlsplit(url)
    return f"{place.scheme}://{place.netloc.rpartition('@')[2]}"


def _in_this_home(command: str) -> str:
    """Return a command as it must be typed for a stack that is not at its usual place."""
    moved = os.environ.get("PROTONPAY_HOME")
    return f"{command} PROTONPAY_HOME={shlex.quote(moved)}" if moved else command
