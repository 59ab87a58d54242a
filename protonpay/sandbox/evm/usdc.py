"""Circle's USDC, built from the npm package's artifacts and put at its canonical address."""

import json
from pathlib import Path
from typing import Any

from protonpay.sandbox.evm import abi
from protonpay.sandbox.evm.rpc import NodeError, Rpc

OUTSIDE, OWNER, PROXY_ADMIN, MINTER = range(4)
"""Which of the node's unlocked accounts plays whom.

The proxy's admin is nobody else: its calls never reach the implementation.
"""

_ARTIFACTS = Path("@offchainlabs", "stablecoin-evm", "artifacts", "hardhat", "contracts")
_ZEPPELIN_SLOTS = ("org.zeppelinos.proxy.implementation", "org.zeppelinos.proxy.admin")
_OUTSIDE_USDC_MICRO = 10**18
_UNLIMITED = 2**200


def is_in_place(rpc: Rpc, usdc: str) -> bool:
    """Tell whether this chain has the token already."""
    return bool(rpc("eth_getCode", usdc, "latest") != "0x")


def put_in_place(rpc: Rpc, usdc: str, node_modules: Path) -> None:
    """Deploy and initialise the token as on mainnet, and fill the outside wallet.

    Name, symbol, decimals and version are mainnet's, so that the EIP-712 domain
    separator is too.

    Raises:
        NodeError: a step of it reverted.
    """
    builder = _Builder(rpc, node_modules / _ARTIFACTS)
    checker = builder.deploy("util/SignatureChecker")
    implementation = builder.deploy("v2/FiatTokenV2_2", library=checker)
    proxy = builder.deploy("v1/FiatTokenProxy", arguments=abi.arguments(implementation))
    _move(rpc, proxy, usdc)
    owner = builder.accounts[OWNER]
    for step in _initialisers(owner):
        builder.send(OWNER, usdc, step)
    minter, outside = builder.accounts[MINTER], builder.accounts[OUTSIDE]
    builder.send(OWNER, usdc, abi.call("configureMinter(address,uint256)", minter, _UNLIMITED))
    builder.send(MINTER, usdc, abi.call("mint(address,uint256)", outside, _OUTSIDE_USDC_MICRO))


def _initialisers(owner: str) -> list[str]:
    return [
        abi.call(
            "initialize(string,string,string,uint8,address,address,address,address)",
            *("USD Coin", "USDC", "USD", 6),
            *(owner, owner, owner, owner),
        ),
        abi.call("initializeV2(string)", "USD Coin"),
        abi.call("initializeV2_1(address)", owner),
        abi.call("initializeV2_2(address[],string)", [], "USDC"),
    ]


def _move(rpc: Rpc, source: str, target: str) -> None:
    # A proxy is its code and two slots; the rest of its storage comes with the initialisers.
    rpc("anvil_setCode", target, rpc("eth_getCode", source, "latest"))
    for name in _ZEPPELIN_SLOTS:
        slot = "0x" + abi.keccak256(name.encode()).hex()
        value = rpc("eth_getStorageAt", source, slot, "latest")
        rpc("anvil_setStorageAt", target, slot, value)


class _Builder:
    """Sends from unlocked accounts, one block each."""

    def __init__(self, rpc: Rpc, artifacts: Path) -> None:
        self._rpc = rpc
        self._artifacts = artifacts
        self.accounts: list[str] = rpc("eth_accounts")

    def deploy(self, name: str, *, library: str = "", arguments: bytes = b"") -> str:
        artifact = json.loads(
            (self._artifacts / f"{name}.sol" / f"{name.partition('/')[2]}.json").read_text()
        )
        code = _linked(artifact, library) + arguments.hex()
        return str(self.send(PROXY_ADMIN, None, code)["contractAddress"])

    def send(self, role: int, to: str | None, data: str) -> dict[str, Any]:
        order = {"from": self.accounts[role], "data": data}
        if to is not None:
            order["to"] = to
        tx_hash = self._rpc("eth_sendTransaction", order)
        self._rpc("evm_mine")
        receipt: dict[str, Any] = self._rpc("eth_getTransactionReceipt", tx_hash)
        if receipt["status"] != "0x1":
            raise NodeError(f"{data[:10]} to {to} reverted")
        return receipt


def _linked(artifact: dict[str, Any], library: str) -> str:
    """Return creation code with the library's address in its gaps (solc "linkReferences")."""
    code: str = artifact["bytecode"]
    for file in artifact["linkReferences"].values():
        for gap in (gap for gaps in file.values() for gap in gaps):
            start = 2 + gap["start"] * 2
            code = code[:start] + library.removeprefix("0x") + code[start + gap["length"] * 2 :]
    return code
