"""Heads are taken in the house, of chains that answer what a test wants them to."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from flask import Flask

from protonpay.chains.registry import NETWORKS, chains
from protonpay.chains.snapshot import Balances, FinalBlock
from protonpay.wire.http import NoAnswer
from tests.actors import Actor
from tests.chains.conftest import EvmWorld, evm, evm_funded, evm_url
from tests.chains.solana.conftest import node, solana_process
from tests.chains.solana.local_node import LocalNode
from tests.committed import open_house

__all__ = [
    "EvmWorld",
    "LocalNode",
    "evm",
    "evm_funded",
    "evm_url",
    "node",
    "open_house",
    "solana_process",
]


class Told:
    """A network that holds what a test says, or does not answer."""

    at_once = 2

    def __init__(self) -> None:
        self.held: dict[str, int] = {}
        self.height = 100
        self.silent = False
        self.asked: list[tuple[int, list[str]]] = []

    def block(self, height: int | None) -> FinalBlock:
        if self.silent:
            raise NoAnswer("the node is away")
        return FinalBlock(height or self.height, 0, "0x1")

    def balances(self, at: FinalBlock, addresses: Sequence[str]) -> Balances:
        self.asked.append((at.height, list(addresses)))
        return Balances(at.height, {one: self.held.get(one, 0) for one in addresses})


@pytest.fixture
def networks(app: Flask) -> Iterator[Mapping[str, Told]]:
    """Every network, each with a treasury of 1,000 USDC."""
    told = {name: Told() for name in NETWORKS}
    for name, network in NETWORKS.items():
        told[name].held[chains.addresses().treasury[network.family]] = 1_000_000_000
    chains._snapshots.update(told)  # type: ignore[arg-type]
    yield told
    chains._snapshots.clear()


def proof_of(actor: Actor) -> dict[str, Any]:
    """What somebody is answered."""
    answer = actor.get("/client/ledger/proof")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()["proof"]
