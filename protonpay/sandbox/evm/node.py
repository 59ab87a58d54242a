"""The anvil process: found below ``node_modules``, started as a child that dies with us."""

import ctypes
import platform
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from protonpay.sandbox.evm.rpc import Rpc

START_SECONDS = 60
FREE_SECONDS = 10
_PR_SET_PDEATHSIG = 1
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
# Whole states kept in memory: enough for reads at ``finalized`` and for reorgs of this
# depth; without a bound anvil keeps every block's.
_STATES_KEPT = 16


class NodeDied(Exception):
    """Anvil ended, or never answered."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the node answers."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The address for JSON-RPC over HTTP."""
        return f"http://{self.host}:{self.port}"


def binary(node_modules: Path) -> Path:
    """Return the anvil program for this machine.

    The platform's own package is asked, not ``.bin``: two packages claim that
    name, and npm links neither.

    Raises:
        FileNotFoundError: npm has not installed it.
    """
    system = platform.system().lower()
    machine = _MACHINES.get(platform.machine().lower(), platform.machine())
    path = node_modules / "@foundry-rs" / f"anvil-{system}-{machine}" / "bin" / "anvil"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: run `npm ci --ignore-scripts`")
    return path


def start(
    program: Path, listen: Listen, chain_id: int, state: Path | None
) -> subprocess.Popen[bytes]:
    """Start anvil and wait until it answers.

    Nothing is mined by itself; ``finalized`` is two blocks below ``latest`` and
    ``safe`` one. A saved chain is loaded before the port opens, so nobody ever
    meets an empty chain in its place.

    Raises:
        NodeDied: the port is taken, or it ended at once or did not answer in time.
    """
    _wait_for_port(listen)
    options = {
        "--host": listen.host,
        "--port": str(listen.port),
        "--chain-id": str(chain_id),
        "--slots-in-an-epoch": "1",
        "--prune-history": str(_STATES_KEPT),
    }
    command = [str(program), *(word for pair in options.items() for word in pair)]
    command += ["--no-mining", "--quiet"]
    if state is not None:
        command += ["--load-state", str(state)]
    process = subprocess.Popen(  # noqa: S603 - our own binary, our own arguments
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        # Ctrl-C is for us alone: the chain is saved before the node ends.
        start_new_session=True,
        preexec_fn=_die_with_parent,  # noqa: PLW1509 - no thread exists when this runs
    )
    _wait(process, listen)
    return process


def _die_with_parent() -> None:
    # Sent by the kernel whatever way this process ends, kill -9 included.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait_for_port(listen: Listen) -> None:
    # The node of a killed predecessor may need a moment to go; and another program
    # on the port would answer in our node's place.
    deadline = time.monotonic() + FREE_SECONDS
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((listen.host, listen.port))
            except OSError as error:
                if time.monotonic() > deadline:
                    raise NodeDied(f"{listen.url} is taken by another program") from error
                time.sleep(0.05)
            else:
                return


def _wait(process: subprocess.Popen[bytes], listen: Listen) -> None:
    deadline = time.monotonic() + START_SECONDS
    rpc = Rpc(listen.url)
    while process.poll() is None:
        try:
            rpc("eth_chainId")
        except OSError:
            if time.monotonic() > deadline:
                process.kill()
                break
            time.sleep(0.02)
        else:
            return
    raise NodeDied(f"anvil did not start on {listen.url} (exit code {process.wait()})")
