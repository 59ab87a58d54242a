"""``python -m protonpay.stack up``."""

import argparse
import sys

from protonpay.stack.console import Console
from protonpay.stack.up import up


def main() -> int:
    """Run a command of the stack."""
    parser = argparse.ArgumentParser(prog="python -m protonpay.stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    starting = commands.add_parser("up", help="start everything, in the foreground")
    starting.add_argument("--tied", action="store_true", help="stop when the parent ends")
    options = parser.parse_args()
    return up(Console(), tied=options.tied)


if __name__ == "__main__":
    sys.exit(main())
