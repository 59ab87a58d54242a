"""``python -m tests.stack.little_up``: the real ``up`` with a stack of stand-ins.

``web`` starts a process in a session of its own, which nothing but its mark connects with us.
"""

import sys

from protonpay.stack import plan, ports
from protonpay.stack.child import Command
from protonpay.stack.console import Console
from protonpay.stack.home import Home
from protonpay.stack.part import Part, of_service
from protonpay.stack.up import up
from protonpay.stack.valkey import Valkey

WEB = "setsid sleep 600 & echo $! >far; echo $$ >web; echo ready; while :; do sleep 1; done"


def make(home: Home) -> plan.Plan:
    valkey = Valkey(home.folder / "valkey", port=ports.free(), password="pw")
    web = Command(("/bin/sh", "-c", WEB), folder=home.folder)
    address = f"http://127.0.0.1:{ports.free()}"
    parts = [
        of_service(valkey, "Valkey", "by socket"),
        Part("web", "a stand-in", lambda: web, needs=("valkey",)),
    ]
    facts = dict.fromkeys(("web", "portal", "api", "docs", "health", "ready", "logs"), address)
    return plan.Plan(parts, address, {**facts, "chains": {}, "providers": {}})


if __name__ == "__main__":
    sys.exit(up(Console(), tied="--tied" in sys.argv, make=make))
