"""Payouts over a chain that is killed again and again: each is paid once, none is given up."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from protonpay.chains.port import SendState
from protonpay.chains.registry import BASE
from protonpay.sandbox import evm_outside
from protonpay.wire.http import NoAnswer
from tests.chains.conftest import EvmWorld, free_port
from tests.chains.single import outcome_of, terms_of

KILLS = 3


@contextmanager
def chain(state, port: int) -> Iterator[subprocess.Popen]:
    command = [sys.executable, "-m", "protonpay.sandbox.evm", "--listen", f"127.0.0.1:{port}"]
    command += ["--chain-id", "8453", "--usdc", BASE.usdc, "--state", str(state)]
    process = subprocess.Popen([*command, "--interval", "0.02"], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def step(world, send) -> bool:
    """Do what the worker does: ask, and broadcast what the node does not know."""
    with suppress(NoAnswer):
        outcome = outcome_of(world.chain, send)
        assert outcome.state in (SendState.WAITING, SendState.LANDED)
        if not outcome.seen:
            world.chain.broadcast(send)
        return outcome.state is SendState.LANDED
    return False


@pytest.mark.slow
def test_kills_of_the_chain_cost_a_broadcast_and_nothing_else(tmp_path):
    port = free_port()
    world = EvmWorld(f"http://127.0.0.1:{port}")
    with chain(tmp_path, port):
        evm_outside.send_native(world.url, world.chain.sender, 10**19)
        evm_outside.send_usdc(world.url, world.usdc, world.chain.treasury, 10**12)
        deadline = time.monotonic() + 10
        while not world.chain.balance(world.chain.treasury):
            assert time.monotonic() < deadline
        orders = [world.order() for _ in range(6)]
        terms = [terms_of(world.chain, order) for order in orders]
        first = world.chain.next_sequence()
    waiting = [
        world.chain.sign([order], of_it, first + n, None)
        for n, (order, of_it) in enumerate(zip(orders, terms, strict=True))
    ]
    for kill in range(KILLS + 1):
        with chain(tmp_path, port) as process:
            deadline = time.monotonic() + 30
            while waiting:
                assert time.monotonic() < deadline
                waiting = [send for send in waiting if not step(world, send)]
                if waiting and kill < KILLS and world.chain.head().latest % (kill + 2) == 0:
                    os.kill(process.pid, signal.SIGKILL)
                    break
            if not waiting:
                assert [world.held(order.to) for order in orders] == [5_000_000] * 6
                assert world.held(world.chain.treasury) == 10**12 - 30_000_000
    assert not waiting
