"""What is read again of a send on a real EVM chain, and what is remembered of the last look."""

from typing import Any

import pytest

from protonpay.chains.port import SendOutcome, SendState
from protonpay.sandbox import evm_outside
from protonpay.wire.http import Wire
from protonpay.wire.jsonrpc import JsonRpc
from tests.chains.conftest import EvmWorld
from tests.chains.single import outcome_of

WAITING = SendOutcome(SendState.WAITING)
LONG = {"eth_getTransactionReceipt", "eth_getTransactionByHash"}


class Listening(JsonRpc):
    """The real node, and what it was asked for."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)
        self.asked: list[str] = []

    def batch(self, calls: Any) -> list[Any]:
        self.asked += [method for method, _ in calls]
        return super().batch(calls)

    def heard(self) -> set[str]:
        """Return what was asked for that is long, since the last time."""
        heard, self.asked = LONG.intersection(self.asked), []
        return heard


@pytest.fixture
def node(evm: EvmWorld) -> Listening:
    return Listening(Wire(evm.url))


def test_bytes_that_were_seen_made_are_read_again_once_their_nonce_is_final(
    evm: EvmWorld, node: Listening
):
    order = evm.order()
    send, chain = evm.sent(order), evm.adapter(node)
    assert outcome_of(chain, send) == WAITING
    assert node.heard() == LONG
    evm.mine()
    assert outcome_of(chain, send) == WAITING
    assert node.heard() == {"eth_getTransactionReceipt"}

    evm.mine()
    assert outcome_of(chain, send) == WAITING
    assert node.heard() == set()

    evm.mine()
    landed = SendOutcome(SendState.LANDED, fee=evm.fee_of(send.tx_hash))
    assert outcome_of(chain, send) == landed
    assert node.heard() == {"eth_getTransactionReceipt"}


def test_a_reorg_that_takes_them_back_is_seen(evm: EvmWorld, node: Listening):
    send, chain = evm.sent(evm.order()), evm.adapter(node)
    evm.mine(2)
    assert outcome_of(chain, send) == WAITING
    node.heard()

    evm.rpc("anvil_reorg", 2, [])
    assert outcome_of(chain, send) == SendOutcome(SendState.WAITING, seen=False)
    assert node.heard() == LONG

    chain.broadcast(send)
    evm.mine(3)
    assert outcome_of(chain, send).state is SendState.LANDED


def test_an_error_in_a_block_is_read_at_every_look(evm: EvmWorld, node: Listening):
    order = evm.order()
    send, chain = evm.sign(order), evm.adapter(node)
    evm.outside(evm_outside.freeze, evm.usdc, order.to)
    chain.broadcast(send)
    evm.mine()
    assert evm.reverted(send)
    for _ in range(2):
        waits = outcome_of(chain, send)
        assert (waits.state, waits.reason) == (SendState.WAITING, "payee_blacklisted")
        assert node.heard() == {"eth_getTransactionReceipt"}
