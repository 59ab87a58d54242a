"""``python -m protonpay.sandbox.evm``: one EVM network, answering on one port."""

import argparse
import logging
import signal
import subprocess
import sys
import threading
from pathlib import Path

from protonpay.sandbox.evm import multicall, node, usdc
from protonpay.sandbox.evm.miner import Miner
from protonpay.sandbox.evm.rpc import Rpc
from protonpay.sandbox.evm.store import Store

_NODE_MODULES = Path(__file__).parents[3] / "node_modules"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m protonpay.sandbox.evm", description=__doc__)
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--chain-id", required=True, type=int)
    parser.add_argument("--usdc", required=True, help="canonical address of the token")
    keeping = parser.add_mutually_exclusive_group(required=True)
    keeping.add_argument("--state", type=Path, metavar="DIR", help="keep the chain here")
    keeping.add_argument("--no-state", action="store_true", help="keep nothing, for tests")
    parser.add_argument(
        "--interval", type=float, default=0.25, help="seconds between blocks; 0: only by evm_mine"
    )
    parser.add_argument(
        "--heartbeat", type=float, default=300, help="seconds between blocks of an idle chain"
    )
    parser.add_argument("--node-modules", type=Path, default=_NODE_MODULES, metavar="DIR")
    parser.add_argument("--anvil", type=Path, help="the program; default: below node_modules")
    return parser.parse_args()


def _start(options: argparse.Namespace, store: Store | None) -> subprocess.Popen[bytes]:
    host, _, port = options.listen.rpartition(":")
    program = options.anvil or node.binary(options.node_modules)
    state = store.unpack() if store else None
    process = node.start(program, node.Listen(host, int(port)), options.chain_id, state)
    if store:
        store.forget_unpacked()
    return process


def _serve(options: argparse.Namespace, store: Store | None) -> None:
    rpc = Rpc(f"http://{options.listen}")
    miner = Miner(rpc, store, options.interval, options.heartbeat)
    if not usdc.is_in_place(rpc, options.usdc):
        usdc.put_in_place(rpc, options.usdc, options.node_modules)
    multicall.put_in_place(rpc)
    # Also after a restart: anvil knows the state of a loaded chain's newest block only.
    miner.finalise()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if options.interval:
        miner.run()
    else:
        threading.Event().wait()


def main() -> int:
    """Run the chain until it is told to stop; the node never outlives this process."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(name)s: %(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _options()
    store = None if options.no_state else Store(options.state)
    process = None
    try:
        process = _start(options, store)
        _serve(options, store)
    except KeyboardInterrupt:
        return 0
    finally:
        if process is not None:
            process.kill()
            process.wait()
    return 1


if __name__ == "__main__":
    sys.exit(main())
