"""The world outside Proton Pay on a local EVM chain: wallets that pay us, and Circle's hand.

Every verb waits until its transaction is mined, so that a revert is told here. One that is not
mined in time may be later: ``TimeoutError``.
"""

import time

from protonpay.sandbox.evm import abi
from protonpay.sandbox.evm.rpc import NodeError, Rpc
from protonpay.sandbox.evm.usdc import MINTER, OUTSIDE, OWNER

MINED_SECONDS = 60


def send_usdc(rpc_url: str, usdc: str, to: str, micro: int) -> str:
    """Send USDC (10⁻⁶) from the outside wallet; return the transaction's hash.

    Raises:
        NodeError: it reverted (blocked address, paused token).
    """
    return _act(rpc_url, OUTSIDE, usdc, data=abi.call("transfer(address,uint256)", to, micro))


def send_native(rpc_url: str, to: str, wei: int) -> str:
    """Send native coin from the outside wallet; return the transaction's hash.

    Raises:
        NodeError: it was refused.
    """
    return _act(rpc_url, OUTSIDE, to, value=wei)


def mint(rpc_url: str, usdc: str, to: str, micro: int) -> str:
    """Mint USDC as an issuer or a bridge does (``Transfer`` from the zero address).

    Raises:
        NodeError: it reverted.
    """
    return _act(rpc_url, MINTER, usdc, data=abi.call("mint(address,uint256)", to, micro))


def freeze(rpc_url: str, usdc: str, address: str) -> str:
    """Put an address on Circle's blocklist."""
    return _act(rpc_url, OWNER, usdc, data=abi.call("blacklist(address)", address))


def unfreeze(rpc_url: str, usdc: str, address: str) -> str:
    """Take an address off Circle's blocklist."""
    return _act(rpc_url, OWNER, usdc, data=abi.call("unBlacklist(address)", address))


def pause(rpc_url: str, usdc: str) -> str:
    """Stop every transfer of the token."""
    return _act(rpc_url, OWNER, usdc, data=abi.call("pause()"))


def unpause(rpc_url: str, usdc: str) -> str:
    """Let the token move again."""
    return _act(rpc_url, OWNER, usdc, data=abi.call("unpause()"))


def usdc_balance(rpc_url: str, usdc: str, address: str, block: str = "latest") -> int:
    """Return a wallet's USDC in 10⁻⁶ units."""
    question = {"to": usdc, "data": abi.call("balanceOf(address)", address)}
    return int(Rpc(rpc_url)("eth_call", question, block), 16)


def native_balance(rpc_url: str, address: str) -> int:
    """Return a wallet's native coin in wei."""
    return int(Rpc(rpc_url)("eth_getBalance", address, "latest"), 16)


def outside_address(rpc_url: str) -> str:
    """Return the outside wallet's address."""
    return str(Rpc(rpc_url)("eth_accounts")[OUTSIDE])


def _act(rpc_url: str, role: int, to: str, *, data: str = "0x", value: int = 0) -> str:
    rpc = Rpc(rpc_url)
    accounts = rpc("eth_accounts")
    if len(accounts) <= role:
        raise NodeError("the node holds no wallet of the world outside")
    sender = accounts[role]
    order = {"from": sender, "to": to, "data": data, "value": hex(value)}
    rpc("eth_call", order, "pending")  # a node takes what will revert; a wallet asks before
    tx_hash: str = rpc("eth_sendTransaction", order)
    deadline = time.monotonic() + MINED_SECONDS
    while (receipt := rpc("eth_getTransactionReceipt", tx_hash)) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{tx_hash} was not mined within {MINED_SECONDS} s")
        time.sleep(0.02)
    if receipt["status"] != "0x1":
        raise NodeError(f"{tx_hash} reverted")
    return tx_hash
