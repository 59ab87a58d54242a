"""The world outside of Proton Pay: the wallet that pays us, and Circle's hand, by kind of network.

Each is loaded on use: a payment on Solana needs solders, `flask ops` does not.
"""

import importlib
from collections.abc import Mapping
from types import ModuleType

_OF: Mapping[str, str] = {
    "evm": "protonpay.sandbox.evm_outside",
    "solana": "protonpay.sandbox.solana.outside",
}


class Refused(Exception):
    """The node said no, or the chain reverted: nothing was done."""


def of(family: str) -> ModuleType:
    """Return what people outside do on networks of a family: to pay, to freeze, to look."""
    return importlib.import_module(_OF[family])
