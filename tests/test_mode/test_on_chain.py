"""The wallet outside on a real chain: what it sends, what its node refuses, what nobody knows."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from protonpay.chains.registry import chains
from protonpay.kernel.money import Usdc
from protonpay.sandbox import evm_outside
from tests.actors import Actor
from tests.conftest import PASSPHRASE
from tests.test_mode.test_paying import pay, run, stands
from tests.treasury.worlds import EvmNetwork, evm_process
from tests.wallets import pools


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    with evm_process("Base") as url:
        yield url


@pytest.fixture
def base(
    house: Flask, keyring_path: Path, node: str, monkeypatch: pytest.MonkeyPatch
) -> EvmNetwork:
    """Base, whose blocks come when asked for; ours is the node that the settings name."""
    pools.fill(keyring_path, PASSPHRASE)
    bound = chains._bound()
    named = replace(bound, rpc_urls={**bound.rpc_urls, "Base": node})
    monkeypatch.setattr(chains, "_settings", named)
    return EvmNetwork("Base", node)


def test_it_is_sent_to_the_address_and_no_further_time(alice: Actor, base: EvmNetwork):
    made = pay(alice, amount="3.5")
    before = base.usdc(made["address"])
    with base.mining():
        for _ in range(2):
            run(made)
    assert stands(alice, made)["status"] == "SENT"
    assert base.usdc(made["address"]) - before == Usdc.parse("3.5").micro


def test_what_its_node_refuses_is_not_sent(alice: Actor, base: EvmNetwork):
    made = pay(alice, amount="2")
    before = base.usdc(made["address"])
    base.freeze(made["address"])
    try:
        run(made)
    finally:
        base.act("unfreeze", base.network.usdc, made["address"])
    assert stands(alice, made)["status"] == "FAILED"
    base.finalise()
    assert base.usdc(made["address"]) == before


def test_what_no_block_has_taken_in_time_may_come_yet_and_is_not_sent_again(
    alice: Actor, base: EvmNetwork, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(evm_outside, "MINED_SECONDS", 0)
    made = pay(alice, amount="2")
    before = base.usdc(made["address"])
    run(made)
    assert stands(alice, made)["status"] == "UNKNOWN"
    assert base.usdc(made["address"]) == before
    run(made)
    base.finalise()
    assert base.usdc(made["address"]) - before == Usdc.parse("2").micro, "once, though unknown"
