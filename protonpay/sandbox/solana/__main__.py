"""``python -m protonpay.sandbox.solana``: run the node until told to stop."""

import argparse
import signal
import sys
from pathlib import Path
from typing import NoReturn

from solders.pubkey import Pubkey

from protonpay.sandbox.solana.archive import Archive
from protonpay.sandbox.solana.bank import Bank
from protonpay.sandbox.solana.dispatch import Dispatcher
from protonpay.sandbox.solana.node import Node
from protonpay.sandbox.solana.server import Server
from protonpay.sandbox.solana.slots import Timeline


def main() -> None:
    """Open the chain, listen, say ``ready`` and serve."""
    options = _options()
    host, _, port = options.listen.rpartition(":")
    archive = Archive(None if options.no_state else options.state)
    timeline = Timeline(archive.fact("timeline"), options.slot_ms)
    bank = Bank(archive, timeline, options.usdc, options.finality_slots)
    dispatcher = Dispatcher(Node(bank))
    with Server((host, int(port)), dispatcher) as server:
        signal.signal(signal.SIGTERM, _stop)
        print("ready", flush=True)  # noqa: T201 - the supervisor waits for it
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            with dispatcher.lock:
                archive.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m protonpay.sandbox.solana", description=__doc__)
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--usdc", required=True, type=Pubkey.from_string, metavar="MINT")
    parser.add_argument("--slot-ms", type=int, default=400, help="0 stops the clock (default: 400)")
    parser.add_argument("--finality-slots", type=int, default=32, help="at least 2 (default: 32)")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--state", type=Path, metavar="DIR", help="where the chain is kept")
    place.add_argument("--no-state", action="store_true", help="keep it in memory")
    options = parser.parse_args()
    if options.finality_slots < 2:  # noqa: PLR2004 - the present and the confirmed slot are never final
        parser.error("--finality-slots is at least 2")
    return options


def _stop(*_: object) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    main()
