"""What people outside of Proton Pay do on Solana: pay, freeze, look."""

import json
import urllib.request
from typing import Any

from solders.pubkey import Pubkey

from protonpay.sandbox.outside import Refused
from protonpay.sandbox.solana.tokens import ata

_SECONDS = 10


def send_usdc(rpc_url: str, usdc: str, to: str, micro: int) -> str:
    """Send USDC from the outside wallet.

    Args:
        rpc_url: the sandbox's node.
        usdc: the mint; the node has only one.
        to: a wallet; its associated token account is made if need be.
        micro: in 10⁻⁶ USDC.

    Returns:
        The transaction's signature; it is processed, not yet final.

    Raises:
        Refused: the node said no (a frozen account, not an address …).
    """
    _check_mint(rpc_url, usdc)
    return str(_call(rpc_url, "sandbox_sendUsdc", to, micro))


def send_native(rpc_url: str, to: str, lamports: int) -> str:
    """Send SOL from the outside wallet and return the signature.

    Raises:
        Refused: the node said no.
    """
    return str(_call(rpc_url, "sandbox_sendSol", to, lamports))


def undo(rpc_url: str, signature: str) -> bool:
    """Have the chain go on without a transaction; False if it is final, or in no block.

    Raises:
        Refused: the node said no.
    """
    return bool(_call(rpc_url, "sandbox_undo", signature))


def freeze(rpc_url: str, usdc: str, owner: str) -> str:
    """Freeze a wallet's USDC, as Circle can, and return the signature.

    Raises:
        Refused: the node said no.
    """
    _check_mint(rpc_url, usdc)
    return str(_call(rpc_url, "sandbox_freeze", owner))


def unfreeze(rpc_url: str, usdc: str, owner: str) -> str:
    """Thaw a wallet's USDC and return the signature.

    Raises:
        Refused: the node said no.
    """
    _check_mint(rpc_url, usdc)
    return str(_call(rpc_url, "sandbox_unfreeze", owner))


def usdc_balance(rpc_url: str, usdc: str, owner: str) -> int:
    """Return a wallet's USDC in 10⁻⁶, newest state, 0 when it has no token account.

    Raises:
        Refused: the node said no.
    """
    account = ata(Pubkey.from_string(owner), Pubkey.from_string(usdc))
    options = {"encoding": "jsonParsed", "commitment": "processed"}
    found = _call(rpc_url, "getAccountInfo", str(account), options)["value"]
    return int(found["data"]["parsed"]["info"]["tokenAmount"]["amount"]) if found else 0


def native_balance(rpc_url: str, address: str) -> int:
    """Return a wallet's lamports, newest state.

    Raises:
        Refused: the node said no.
    """
    return int(_call(rpc_url, "getBalance", address, {"commitment": "processed"})["value"])


def _check_mint(rpc_url: str, usdc: str) -> None:
    _call(rpc_url, "getTokenSupply", usdc)


def _call(rpc_url: str, method: str, *params: Any) -> Any:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(  # noqa: S310 - the sandbox's own address
        rpc_url, body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=_SECONDS) as response:  # noqa: S310 - the same
        reply = json.load(response)
    if "error" in reply:
        raise Refused(reply["error"].get("message", ""))
    return reply["result"]
