"""Multicall3, as it stands on Base, Polygon and most EVM networks: many calls in one transaction.

``multicall3.hex`` is the code at its address there (github mds1/multicall3, MIT licence,
https://www.multicall3.com), known by its hash.
"""

from pathlib import Path

from protonpay.sandbox.evm import abi
from protonpay.sandbox.evm.rpc import Rpc

ADDRESS = "0xcA11bde05977b3631167028862bE2a173976CA11"
_CODE_HASH = "d5c15df687b16f2ff992fc8d767b4216323184a2bbc6ee2f9c398c318e770891"


def put_in_place(rpc: Rpc) -> None:
    """Put the contract at its address, also on a chain that was saved without it.

    Raises:
        ValueError: the file is not the contract that other networks have.
    """
    code = Path(__file__).with_name("multicall3.hex").read_text().strip()
    if abi.keccak256(bytes.fromhex(code.removeprefix("0x"))).hex() != _CODE_HASH:
        raise ValueError("multicall3.hex is not Multicall3")
    if rpc("eth_getCode", ADDRESS, "latest") != code:
        rpc("anvil_setCode", ADDRESS, code)
