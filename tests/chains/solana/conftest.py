"""The adapter on a node of the sandbox, with wallets of its own for every test."""

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from tests.chains.solana.custody import TREASURY_MICRO, Custody, adapter
from tests.chains.solana.local_node import running


@pytest.fixture(scope="session")
def solana_process():
    with running() as node:
        yield node


@pytest.fixture
def node(solana_process):
    yield solana_process
    solana_process.call("sandbox_reset")


@pytest.fixture
def custody(node):
    gas, treasury = Keypair(), Keypair()
    node.call("sandbox_sendSol", str(gas.pubkey()), 10**9)
    node.call("sandbox_sendUsdc", str(treasury.pubkey()), TREASURY_MICRO)
    node.finalize()
    return Custody(node, adapter(node, gas, treasury), gas, treasury)


@pytest.fixture
def payee() -> Pubkey:
    """A wallet that the chain has never seen."""
    return Keypair().pubkey()
