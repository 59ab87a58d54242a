"""What a sweep costs: many in one transaction, one alone, and fund-then-transfer, in one run.

    python -m benchmarks.sweeps

On local chains of its own: anvil with Circle's contract at its address on Base, and a Solana
node over LiteSVM. EVM figures are ``gasUsed`` of receipts; Solana's are lamports of fees. Funding
an address first costs what the table says and leaves native coin behind on every address.
"""

import argparse
import base64
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eth_account import Account
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from protonpay.chains import keyring
from protonpay.chains.evm_sweep import EvmSweeper
from protonpay.chains.port import SendState
from protonpay.chains.registry import BASE, SOLANA
from protonpay.chains.solana_answers import FINAL_TRANSACTION
from protonpay.chains.solana_sweep import SolanaSweeper
from protonpay.chains.sweep import SignedSweeps, SweepItem, SweepsOutcome
from protonpay.kernel.money import Usdc
from protonpay.sandbox import evm_outside
from protonpay.sandbox.evm import abi
from protonpay.sandbox.evm.rpc import Rpc
from protonpay.sandbox.solana import outside as solana_outside
from protonpay.wire.http import Wire
from protonpay.wire.jsonrpc import JsonRpc

PASSPHRASE = "of the benchmark, and of nobody else"
MICRO = 20_000_000
GWEI = 10**9


@contextmanager
def simulator(*command: str) -> Iterator[str]:
    """Run a chain of our own and return its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    words = [sys.executable, "-m", *command, "--listen", listen, "--no-state"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield f"http://{listen}"
        finally:
            process.terminate()


class Base:
    """The EVM side: a chain, our adapter, and deposit addresses with USDC on them."""

    def __init__(self, url: str, keys: keyring.Keyring, ours: keyring.PublicAddresses) -> None:
        self.url, self.keys, self.rpc = url, keys, Rpc(url)
        self.rpc("evm_setAutomine", True)  # noqa: FBT003 - the node's own parameter
        self.sweeper = EvmSweeper(BASE, JsonRpc(Wire(url, read_seconds=30)), ours, keys)
        evm_outside.send_native(url, self.sweeper.sender, 10**20)
        evm_outside.send_usdc(url, BASE.usdc, self.sweeper.treasury, MICRO)
        self._next = 0

    def paid(self, count: int) -> list[SweepItem]:
        """Return so many new deposit addresses, each with USDC."""
        made = []
        for number in range(self._next, self._next + count):
            address, _ = self.keys.deposit_address(keyring.EVM, number)
            evm_outside.send_usdc(self.url, BASE.usdc, address, MICRO)
            made.append(SweepItem(number, address, Usdc(MICRO), 1))
        self._next += count
        return made

    def batched(self, count: int) -> tuple[int, int]:
        """Sweep as the product does; return gas and bytes of the whole transaction."""
        items = self.paid(count)
        self._finalise()
        terms, sequence = self.sweeper.read_terms(count), self.sweeper.next_sequence()
        signed = self.sweeper.sign(items, terms, sequence, None)
        self.sweeper.broadcast(signed)
        self._finalise()
        landed(self.sweeper.outcome(signed, items), count)
        return self._gas(signed.tx_hash), len(signed.raw)

    def funded(self, count: int) -> tuple[int, int]:
        """Send each address native coin, then let it transfer; return gas and wei left behind."""
        total, left = 0, 0
        for item in self.paid(count):
            key = self.keys.deposit_key(keyring.EVM, item.number)
            data = abi.call("transfer(address,uint256)", self.sweeper.treasury, MICRO)
            order = {"from": item.address, "to": BASE.usdc, "data": data}
            gas = int(self.rpc("eth_estimateGas", order), 16) * 6 // 5
            price = int(self.rpc("eth_gasPrice"), 16) * 2
            total += self._gas(evm_outside.send_native(self.url, item.address, gas * price))
            transaction = {
                "type": 2,
                "chainId": BASE.chain_id,
                "nonce": 0,
                "to": BASE.usdc,
                "value": 0,
                "data": data,
                "gas": gas,
                "maxFeePerGas": price,
                "maxPriorityFeePerGas": GWEI // 1000,
            }
            raw = Account.sign_transaction(transaction, key).raw_transaction
            total += self._gas(self.rpc("eth_sendRawTransaction", raw.to_0x_hex()))
            left += evm_outside.native_balance(self.url, item.address)
        return total, left

    def _finalise(self) -> None:
        for _ in range(3):
            self.rpc("evm_mine")

    def _gas(self, tx_hash: str) -> int:
        if self.rpc("eth_getTransactionReceipt", tx_hash) is None:
            self.rpc("evm_mine")
        receipt = self.rpc("eth_getTransactionReceipt", tx_hash)
        assert receipt["status"] == "0x1"
        return int(receipt["gasUsed"], 16)


class Solana:
    """The same on Solana."""

    def __init__(self, url: str, keys: keyring.Keyring, ours: keyring.PublicAddresses) -> None:
        self.url, self.keys, self._rpc = url, keys, JsonRpc(Wire(url, read_seconds=30))
        self.sweeper = SolanaSweeper(SOLANA, self._rpc, ours, keys)
        solana_outside.send_native(url, self.sweeper.sender, 10**10)
        solana_outside.send_usdc(url, SOLANA.usdc, self.sweeper.treasury, MICRO)
        self._next = 0

    def paid(self, count: int) -> list[SweepItem]:
        """Return so many new deposit addresses, each with USDC."""
        made = []
        for number in range(self._next, self._next + count):
            address, _ = self.keys.deposit_address(keyring.SOLANA, number)
            solana_outside.send_usdc(self.url, SOLANA.usdc, address, MICRO)
            made.append(SweepItem(number, address, Usdc(MICRO), 1))
        self._next += count
        self._call("sandbox_warp", 40)
        return made

    def batched(self, count: int) -> tuple[int, int]:
        """Sweep as the product does; return lamports and bytes of the whole transaction."""
        items = self.paid(count)
        signed = self.sweeper.sign(items, self.sweeper.read_terms(count), None, None)
        return self._landed(signed, items), len(signed.raw)

    def funded(self, count: int) -> tuple[int, int]:
        """Send each address lamports, then let it pay for its transfer; fees, and what stays."""
        fees, left = 0, 0
        rent = int(self._call("getMinimumBalanceForRentExemption", 0))
        for item in self.paid(count):
            owner = Keypair.from_seed(self.keys.deposit_key(keyring.SOLANA, item.number))
            payer = Keypair.from_seed(self.keys.sweeper[keyring.SOLANA])
            gift = TransferParams(
                from_pubkey=payer.pubkey(), to_pubkey=owner.pubkey(), lamports=rent + 5000
            )
            fees += self._send(payer, [transfer(gift)])
            fees += self._send(owner, [self.sweeper._transfer(item)])  # noqa: SLF001 - the very one
            left += solana_outside.native_balance(self.url, item.address)
        return fees, left

    def _landed(self, signed: SignedSweeps, items: Sequence[SweepItem]) -> int:
        self.sweeper.broadcast(signed)
        self._call("sandbox_warp", 40)
        outcome = self.sweeper.outcome(signed, items)
        landed(outcome, len(items))
        return outcome.fee or 0

    def _send(self, payer: Keypair, steps: Sequence[Instruction]) -> int:
        latest = self._call("getLatestBlockhash", {"commitment": "confirmed"})["value"]
        message = MessageV0.try_compile(
            payer.pubkey(), list(steps), [], Hash.from_string(latest["blockhash"])
        )
        raw = base64.b64encode(bytes(VersionedTransaction(message, [payer]))).decode()
        options = {"encoding": "base64", "preflightCommitment": "confirmed"}
        signature = self._call("sendTransaction", raw, options)
        self._call("sandbox_warp", 40)
        told = self._call("getTransaction", signature, FINAL_TRANSACTION)
        assert told["meta"]["err"] is None
        return int(told["meta"]["fee"])

    def _call(self, method: str, *params: object) -> Any:
        return self._rpc.call(method, *params)


def landed(outcome: SweepsOutcome, count: int) -> None:
    """Stop if not everything moved."""
    if outcome.state is not SendState.LANDED or len(outcome.moved) != count:
        raise SystemExit(f"not swept: {outcome}")


def _line(what: str, each: float, single: float, note: str) -> None:
    print(f"  {what:<34}{each:>12,.0f}{each / single:>9.2f}   {note}")


def main() -> None:
    """Measure and print."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{secrets.token_hex(4)}.json"
        ours = keyring.create(path, PASSPHRASE)
        keys = keyring.Keyring.open(path, PASSPHRASE)
        evm = ("protonpay.sandbox.evm", "--chain-id", "8453", "--usdc", BASE.usdc)
        with simulator(*evm, "--interval", "0") as url:
            _measure_base(Base(url, keys, ours))
        with simulator("protonpay.sandbox.solana", "--usdc", SOLANA.usdc, "--slot-ms", "0") as url:
            _measure_solana(Solana(url, keys, ours))


def _measure_base(base: Base) -> None:
    count = 10
    gas, left = base.funded(count)
    funded = gas / count
    print(f"Base (anvil, Circle's contract)\n  {'gas per sweep':<34}{'':>12}{'ratio':>9}")
    note = f"{left / count / GWEI:,.0f} gwei left on each address"
    _line("fund, then transfer", funded, funded, note)
    for many in (1, 2, 10, 50, base.sweeper.most):
        gas, size = base.batched(many)
        note = f"{gas:,} gas, {size / many:,.0f} bytes each"
        _line(f"{many} EIP-3009 in one transaction", gas / many, funded, note)


def _measure_solana(solana: Solana) -> None:
    fees, left = solana.funded(6)
    funded = fees / 6
    print(f"Solana (LiteSVM)\n  {'lamports of fees per sweep':<34}{'':>12}{'ratio':>9}")
    _line("fund, then transfer", funded, funded, f"{left / 6:,.0f} lamports left on each address")
    for many in (1, 3, solana.sweeper.most):
        fee, size = solana.batched(many)
        _line(f"{many} in one transaction", fee / many, funded, f"{size} bytes of 1,232")


if __name__ == "__main__":
    main()
