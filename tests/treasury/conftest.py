"""A house whose three networks are real chains, and whose keys are at hand."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from protonpay.chains.keyring import Keyring
from protonpay.chains.registry import ChainSettings, chains
from protonpay.kernel.money import Usdc
from protonpay.treasury.service import rules
from protonpay.wallets import pool, watching
from tests.chains.solana.local_node import running
from tests.conftest import PASSPHRASE
from tests.treasury.worlds import EvmNetwork, House, SolanaNetwork, World, evm_process

NAMES = ("Base", "Polygon", "Solana")


@pytest.fixture(scope="session")
def keys(keyring_path: Path) -> Keyring:
    return Keyring.open(keyring_path, PASSPHRASE)


@pytest.fixture(scope="session")
def worlds(app: Flask) -> Iterator[dict[str, World]]:
    ours = chains.addresses()
    with evm_process("Base") as base, evm_process("Polygon") as polygon, running() as node:
        made: dict[str, World] = {
            "Base": EvmNetwork("Base", base),
            "Polygon": EvmNetwork("Polygon", polygon),
            "Solana": SolanaNetwork("Solana", node.url),
        }
        for world in made.values():
            family = world.network.family
            world.fund(ours.treasury[family], ours.sweeper[family])
        yield made


@pytest.fixture
def bound(house: Flask, worlds: dict[str, World], keys: Keyring) -> Iterator[dict[str, World]]:
    before = chains._bound()
    kept = replace(rules)
    urls = {name: world.url for name, world in worlds.items()}
    chains.bind(ChainSettings(urls, before.addresses, keys))
    rules.bind(Usdc(5_000_000), timedelta(days=7), Usdc(500_000))
    for world in worlds.values():
        world.forget()
        world.finalise()
        watching.watch(world.name)
    yield worlds
    rules.bind(kept.enough, kept.age, kept.least)
    chains.bind(before)


@pytest.fixture(params=NAMES)
def ours(request: pytest.FixtureRequest, bound: dict[str, World]) -> House:
    """One of the three networks, all of which must do the same."""
    return House(bound[request.param], pool.fill)


@pytest.fixture
def base(bound: dict[str, World]) -> House:
    return House(bound["Base"], pool.fill)


@pytest.fixture
def solana(bound: dict[str, World]) -> House:
    return House(bound["Solana"], pool.fill)
