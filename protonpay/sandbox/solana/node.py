"""The node: one chain, the faults ordered for it, and what every answer is wrapped in."""

from dataclasses import dataclass, field
from typing import Any

from protonpay.sandbox.solana.bank import Bank
from protonpay.sandbox.solana.faults import MIN_CONTEXT_SLOT, Faults, RpcFault
from protonpay.sandbox.solana.params import Config

API_VERSION = "4.4.1"


@dataclass(slots=True)
class Node:
    """What the methods work on.

    Attributes:
        bank: the chain.
        faults: what the next calls will meet.
        drops: how many of the next transactions are taken and lost.
        priority_fee: what recent transactions paid, in micro-lamports per compute unit.
    """

    bank: Bank
    faults: Faults = field(default_factory=Faults)
    drops: int = 0
    priority_fee: int = 0

    def slot(self, config: Config, commitment: str = "commitment") -> int:
        """Return the slot that a call reads at.

        Raises:
            RpcFault: the node is behind the ``minContextSlot`` of the call.
        """
        slot = self.bank.slot(config.commitment(commitment))
        wanted = config.whole("minContextSlot")
        if wanted is not None and slot < wanted:
            text = "Minimum context slot has not been reached"
            raise RpcFault(MIN_CONTEXT_SLOT, text, {"contextSlot": slot})
        return slot


def in_context(slot: int, value: Any) -> dict[str, Any]:
    """Wrap a value in the slot that it was read at."""
    return {"context": {"apiVersion": API_VERSION, "slot": slot}, "value": value}
