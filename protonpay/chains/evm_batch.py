"""Many calls in one transaction: Multicall3's ``aggregate3``, each call allowed to fail alone."""

from collections.abc import Sequence

from web3 import Web3

MULTICALL = "0xcA11bde05977b3631167028862bE2a173976CA11"
"""Its address on Base, Polygon and most EVM networks (https://www.multicall3.com)."""

_CODEC = Web3().codec
_AGGREGATE = "aggregate3((address,bool,bytes)[])"


def together(contract: str, calls: Sequence[bytes]) -> bytes:
    """Return the call data that makes calls to one contract, none stopping the others."""
    listed = [(contract, True, call) for call in calls]
    return bytes(Web3.keccak(text=_AGGREGATE)[:4]) + _CODEC.encode(
        ["(address,bool,bytes)[]"], [listed]
    )
