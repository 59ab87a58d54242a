"""A deposit is credited at the tag that its amount asks for, and by two nodes if there are two."""

from types import SimpleNamespace

import pytest

from protonpay.chains.evm_watch import EvmWatch
from protonpay.chains.registry import BASE, chains
from protonpay.kernel.money import Usdc
from protonpay.sandbox.evm import abi
from protonpay.wallets import watching
from protonpay.wire.http import NoAnswer
from tests.wallets.pools import Careful, Meddler, follow_all, states, told, transfers

pytestmark = pytest.mark.slow

SMALL, LARGE = 1_000_000_000, 1_000_000_001
HASHES_ONLY = False


def _pay(base, payee, micro: int) -> str:
    rpc = base.world.rpc
    order = {"from": rpc("eth_accounts")[0], "to": base.world.usdc}
    data = abi.call("transfer(address,uint256)", payee.base, micro)
    return rpc("eth_sendTransaction", {**order, "data": data})


def _look() -> None:
    watching.watch("Base")
    follow_all()


def _stall(base, tag: str) -> None:
    block = base.world.block(tag)
    base.rpc.spoil = lambda method, params, true: (
        block if method == "eth_getBlockByNumber" and params[0] == tag else true
    )


@pytest.fixture
def second(base) -> SimpleNamespace:
    """Another provider's node, as good as the first until a test spoils it."""
    rpc = Meddler(base.world.json_rpc)
    chains._seconds["Base"] = Careful(EvmWatch(BASE, rpc))
    yield SimpleNamespace(rpc=rpc)
    chains._seconds.clear()


def test_a_small_deposit_is_credited_when_its_block_is_safe(base, payee):
    _pay(base, payee, SMALL)
    base.mine(1)
    _look()
    assert (states(), payee.actor.available) == (["SEEN"], Usdc.parse("1000"))
    base.mine(1)
    _look()
    assert (states(), payee.actor.available) == (["FINAL"], Usdc.parse("2000"))
    base.mine(3)
    _look()
    assert (states(), len(told())) == (["FINAL"], 2)
    assert payee.actor.available == Usdc.parse("2000")


def test_a_large_one_waits_until_it_is_final(base, payee):
    _pay(base, payee, LARGE)
    for _ in range(2):
        base.mine(1)
        _look()
        assert states() == ["SEEN"]
    base.mine(1)
    _look()
    assert (states(), payee.actor.available) == (["FINAL"], Usdc.parse("2000.000001"))


def test_finality_that_stalls_holds_up_the_large_only(base, payee):
    _stall(base, "finalized")
    for micro in (SMALL, LARGE):
        _pay(base, payee, micro)
    base.mine(6)
    _look()
    _look()
    assert {row.amount_micro.micro: row.state for row in transfers()} == {
        SMALL: "FINAL",
        LARGE: "SEEN",
    }
    base.rpc.honest()
    _look()
    assert states() == ["FINAL"] * 2


def test_a_safe_tag_that_stalls_is_overtaken_by_the_final_one(base, payee):
    _stall(base, "safe")
    _pay(base, payee, SMALL)
    base.mine(6)
    _look()
    assert states() == ["FINAL"]


def test_a_node_whose_safe_block_is_newer_than_its_newest_is_not_believed(base, payee):
    newer = base.world.block("latest")
    newer = newer | {"number": hex(int(newer["number"], 16) + 100)}
    base.rpc.spoil = lambda method, params, true: (
        newer if method == "eth_getBlockByNumber" and params[0] == "safe" else true
    )
    _pay(base, payee, SMALL)
    base.mine(1)
    _look()
    assert states() == []


def test_a_small_one_that_a_reorg_moves_after_its_credit_is_not_credited_again(base, payee):
    rpc = base.world.rpc
    moved = _pay(base, payee, SMALL)
    base.mine(2)
    _look()
    raw = rpc("eth_getRawTransactionByHash", moved)
    rpc("anvil_reorg", 2, [])
    rpc("anvil_dropAllTransactions")
    base.mine(1)
    rpc("eth_sendRawTransaction", raw)
    base.mine(4)
    _look()
    assert (states(), payee.actor.available) == (["FINAL"], Usdc.parse("2000"))


def test_two_nodes_that_agree_credit_a_large_one(base, payee, second):
    _pay(base, payee, LARGE)
    base.mine(3)
    _look()
    assert states() == ["FINAL"]
    assert "eth_getTransactionReceipt" in second.rpc.asked


def test_a_small_one_asks_nobody_else(base, payee, second):
    _pay(base, payee, SMALL)
    base.mine(3)
    _look()
    assert (states(), second.rpc.asked) == (["FINAL"], [])


def _silent(method, _params, _true):
    raise NoAnswer(method)


def _no_receipt(method, _params, true):
    return None if method == "eth_getTransactionReceipt" else true


def _another_block(method, params, true):
    if method == "eth_getBlockByNumber" and params[0].startswith("0x"):
        return true | {"hash": "0x" + "ab" * 32}
    return true


def _another_amount(method, _params, true):
    if method == "eth_getTransactionReceipt":
        (log,) = true["logs"]
        return true | {"logs": [log | {"data": hex(1)}]}
    return true


def _another_chain(method, _params, true):
    return "0x1" if method == "eth_chainId" else true


def _behind(method, params, true):
    if method == "eth_getBlockByNumber" and params[0] == "finalized":
        return true | {"number": "0x1"}
    return true


@pytest.mark.parametrize(
    "lie", [_silent, _no_receipt, _another_block, _another_amount, _another_chain, _behind]
)
def test_one_that_the_other_node_does_not_show_waits_and_holds_up_nobody(base, payee, second, lie):
    second.rpc.spoil = lie
    for micro in (LARGE, SMALL):
        _pay(base, payee, micro)
    base.mine(3)
    _look()
    _look()
    assert sorted((row.amount_micro.micro, row.state) for row in transfers()) == [
        (SMALL, "FINAL"),
        (LARGE, "SEEN"),
    ]
    assert payee.actor.available == Usdc.parse("2000")

    second.rpc.honest()
    _look()

    assert states() == ["FINAL"] * 2
    assert payee.actor.available == Usdc.parse("3000.000001")


def test_a_reorg_deeper_than_what_is_read_again_is_noticed(base, payee, monkeypatch):
    monkeypatch.setattr("protonpay.wallets.scanning._FEWEST_BLOCKS", 1)
    monkeypatch.setattr("protonpay.wallets.scanning._MOST_BLOCKS", 1)
    _stall(base, "finalized")
    spoil = base.rpc.spoil
    safe = base.world.block("safe")
    base.rpc.spoil = lambda method, params, true: (
        safe
        if method == "eth_getBlockByNumber" and params[0] == "safe"
        else spoil(method, params, true)
    )
    for _ in range(2):
        _pay(base, payee, SMALL)
        base.mine(1)
    base.mine(6)
    _look()
    assert states() == ["SEEN"] * 2

    base.world.rpc("anvil_reorg", 8, [])
    base.world.rpc("anvil_dropAllTransactions")
    base.mine(4)
    _look()

    assert states() == ["VANISHED"] * 2
    assert payee.actor.available == Usdc.parse("1000")
