"""A Solana node of the sandbox as a real process, and the words the tests speak to it."""

import base64
import contextlib
import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Sequence

from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
SOL = 10**9
FINAL = {"commitment": "finalized"}
CONFIRMED = {"commitment": "confirmed"}
PROCESSED = {"commitment": "processed"}
ANY_VERSION = {"maxSupportedTransactionVersion": 1}


class NodeError(Exception):
    """The JSON-RPC error of an answer."""

    def __init__(self, error: dict) -> None:
        super().__init__(error)
        self.code, self.message, self.data = error["code"], error["message"], error.get("data")


class LocalNode:
    """One process, stopped clock: slots pass by ``warp`` alone unless ``slot_ms`` is given."""

    def __init__(self, *place: str, slot_ms: int = 0, usdc: str = USDC) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        command = [sys.executable, "-m", "protonpay.sandbox.solana", "--listen", address]
        command += ["--usdc", usdc, "--slot-ms", str(slot_ms), *(place or ("--no-state",))]
        self.url = f"http://{address}"
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"ready\n"

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        self.process.stdout.close()
        return self.process.wait(timeout=10)

    def post(self, body: bytes, kind: str = "application/json") -> bytes:
        request = urllib.request.Request(self.url, body, {"Content-Type": kind})
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.read()

    def ask(self, method: str, *params: object) -> dict:
        asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return json.loads(self.post(json.dumps(asked).encode()))

    def call(self, method: str, *params: object) -> object:
        reply = self.ask(method, *params)
        if "error" in reply:
            raise NodeError(reply["error"])
        return reply["result"]

    def value(self, method: str, *params: object) -> object:
        return self.call(method, *params)["value"]

    def warp(self, slots: int) -> int:
        return self.call("sandbox_warp", slots)

    def finalize(self) -> int:
        return self.warp(40)

    def fault(self, method: str, times: int = 1, **fault: object) -> None:
        self.call("sandbox_failNext", method, fault, times)

    def funded(self, *, micro: int = 0, lamports: int = 10 * SOL) -> Keypair:
        """Return a new wallet with finalized funds."""
        wallet = Keypair()
        if lamports:
            self.call("sandbox_sendSol", str(wallet.pubkey()), lamports)
        if micro:
            self.call("sandbox_sendUsdc", str(wallet.pubkey()), micro)
        self.finalize()
        return wallet

    def transaction(
        self, payer: Keypair, *steps: Instruction, signers: Sequence[Keypair] = ()
    ) -> VersionedTransaction:
        blockhash = Hash.from_string(self.value("getLatestBlockhash", CONFIRMED)["blockhash"])
        message = MessageV0.try_compile(payer.pubkey(), steps, [], blockhash)
        return VersionedTransaction(message, [payer, *signers])

    def send(self, transaction: VersionedTransaction, **options: object) -> str:
        raw = base64.b64encode(bytes(transaction)).decode()
        given = {"encoding": "base64", "preflightCommitment": "processed", **options}
        return self.call("sendTransaction", raw, given)

    def run(self, payer: Keypair, *steps: Instruction, signers: Sequence[Keypair] = ()) -> str:
        """Send a transaction of somebody's, signed by others too, and return its signature."""
        return self.send(self.transaction(payer, *steps, signers=signers))


def pays(payer: Keypair, to: Pubkey, lamports: int) -> Instruction:
    params = TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=lamports)
    return transfer(params)


@contextlib.contextmanager
def running(*place: str, how: signal.Signals = signal.SIGTERM, **options: object):
    node = LocalNode(*place, **options)
    try:
        yield node
    finally:
        if node.process.poll() is None:
            node.stop(how)
