"""An EVM network watched block by block, on a real chain with the real token."""

from dataclasses import replace

import pytest

from protonpay.chains.evm_watch import EvmWatch
from protonpay.chains.registry import POLYGON, chains
from protonpay.kernel.money import Usdc
from protonpay.sandbox import evm_outside
from protonpay.sandbox.evm import abi
from protonpay.store.db import db, transaction
from protonpay.wallets import watching
from protonpay.wallets.models import WatchMark
from protonpay.wire.http import NoAnswer
from protonpay.wire.jsonrpc import RpcError
from tests.unchanged import only_changes
from tests.wallets.pools import Careful, follow_all, states, told, transfers

pytestmark = pytest.mark.slow

TRANSFER = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
# Emits Transfer(caller, first word, second word), and pays nobody: two words of calldata.
LOOK_ALIKE = f"0x602035600052600035337f{TRANSFER}60206000a300"


def _send(base, to: str, micro: int) -> str:
    """Hand a payment to the pool; it is in no block yet."""
    rpc = base.world.rpc
    order = {"from": rpc("eth_accounts")[0], "to": base.world.usdc}
    data = abi.call("transfer(address,uint256)", to, micro)
    return rpc("eth_sendTransaction", {**order, "data": data})


def _look() -> None:
    watching.watch("Base")


def _height() -> int:
    return db.session.get(WatchMark, "Base", populate_existing=True).height


def test_a_payment_is_seen_then_final_and_credited_once(base, payee):
    tx_hash = _send(base, payee.base, 5_000_000)
    _look()
    assert states() == []

    base.mine()
    _look()
    follow_all()
    (seen,) = transfers()
    assert (seen.state, seen.tx_hash, seen.amount_micro) == ("SEEN", tx_hash, Usdc(5_000_000))
    assert (seen.holder_kind, seen.holder_id) == ("user", payee.actor.id)
    assert seen.sender.lower() == base.world.rpc("eth_accounts")[0].lower()
    assert payee.actor.available == Usdc.parse("1000")

    base.mine(2)
    _look()
    follow_all()
    follow_all()

    (final,) = transfers()
    assert (final.state, final.id) == ("FINAL", seen.id)
    assert told() == [seen.id] * 2
    assert payee.actor.available == Usdc.parse("1005")


def test_looking_again_changes_nothing(base, payee):
    _send(base, payee.base, 5_000_000)
    base.mine(3)
    _look()
    base.mine()
    with only_changes("watch_marks"):
        _look()


def test_what_was_never_seen_pending_is_final_at_once(base, payee):
    _send(base, payee.base, 1)
    base.mine(3)
    _look()
    assert (states(), len(told())) == (["FINAL"], 1)


@pytest.mark.checklist(112)
def test_nothing_and_a_look_alike_are_no_deposits(base, payee):
    rpc, other = base.world.rpc, "0x" + "0a" * 20
    _send(base, payee.base, 0)
    rpc("anvil_setCode", other, LOOK_ALIKE)
    data = "0x" + abi.arguments(payee.base, 7_000_000).hex()
    rpc("eth_sendTransaction", {"from": rpc("eth_accounts")[0], "to": other, "data": data})
    base.mine(3)
    (log,) = rpc("eth_getLogs", {"address": other, "fromBlock": "0x0", "toBlock": "latest"})[-1:]
    assert log["topics"][0] == f"0x{TRANSFER}"
    assert log["topics"][2][-40:] == payee.base[2:].lower()

    _look()

    assert states() == []


def test_money_that_an_issuer_mints_to_an_address_is_a_deposit(base, payee):
    base.world.outside(evm_outside.mint, base.world.usdc, payee.base, 3_000_000)
    base.mine(2)
    _look()
    assert [row.amount_micro for row in transfers()] == [Usdc(3_000_000)]


def test_an_address_that_nobody_holds_is_not_followed(base, payee):
    _send(base, base.world.chain.treasury, 5_000_000)
    base.mine(3)
    _look()
    assert states() == []


@pytest.mark.checklist(112)
def test_the_same_address_on_the_other_network_is_credited_there(base, payee):
    of = replace(POLYGON, chain_id=8453, usdc=base.world.usdc)
    chains._watches["Polygon"] = Careful(EvmWatch(of, base.rpc))
    _send(base, payee.base, 5_000_000)
    base.mine(3)
    with transaction() as session:
        mark = session.get_one(WatchMark, "Polygon")
        mark.height = mark.seen_height = _height()

    watching.watch("Polygon")
    follow_all()

    assert [(row.network, row.state) for row in transfers()] == [("Polygon", "FINAL")]
    (line,) = payee.actor.get("/client/activity").get_json()["activity"][:1]
    assert (line["network"], line["method"], line["status"]) == ("Polygon", "CRYPTO", "CONFIRMED")


def test_two_payments_in_one_block_are_two(base, payee):
    hashes = {_send(base, payee.base, micro) for micro in (1_000_000, 1_000_000)}
    base.mine(3)
    _look()
    follow_all()
    assert {row.tx_hash for row in transfers()} == hashes
    assert payee.actor.available == Usdc.parse("1002")


def test_a_payment_that_a_reorg_takes_out_disappears(base, payee):
    _send(base, payee.base, 5_000_000)
    base.mine()
    _look()
    follow_all()
    assert payee.actor.get("/client/activity").get_json()["activity"][0]["status"] == "PENDING"

    base.world.rpc("anvil_reorg", 1, [])
    base.world.rpc("anvil_dropAllTransactions")
    _look()
    follow_all()

    assert states() == ["VANISHED"]
    activity = payee.actor.get("/client/activity").get_json()["activity"]
    assert [line for line in activity if line["method"] == "CRYPTO"] == []
    base.mine(4)
    _look()
    follow_all()
    assert states() == ["VANISHED"]
    assert payee.actor.available == Usdc.parse("1000")


def test_a_payment_that_a_reorg_moves_is_credited_once(base, payee):
    rpc = base.world.rpc
    _send(base, base.world.chain.treasury, 1)
    moved = _send(base, payee.base, 5_000_000)
    base.mine()
    raw = rpc("eth_getRawTransactionByHash", moved)
    first = rpc("eth_getRawTransactionByHash", _other(rpc, moved))
    index = rpc("eth_getTransactionReceipt", moved)["logs"][0]["logIndex"]
    _look()

    rpc("anvil_reorg", 1, [[first, 0]])
    rpc("anvil_dropAllTransactions")
    _look()
    assert states() == ["VANISHED"]
    rpc("eth_sendRawTransaction", raw)
    base.mine()
    _look()
    follow_all()

    # Alone in its block it has another index there, and the same place in its receipt.
    assert rpc("eth_getTransactionReceipt", moved)["logs"][0]["logIndex"] != index
    assert states() == ["SEEN"]
    base.mine(3)
    _look()
    follow_all()
    assert states() == ["FINAL"]
    assert payee.actor.available == Usdc.parse("1005")
    assert payee.actor.get("/client/activity").get_json()["activity"][0]["txHash"] == moved


def _other(rpc, tx_hash: str) -> str:
    block = rpc("eth_getTransactionByHash", tx_hash)["blockNumber"]
    hashes = rpc("eth_getBlockByNumber", block, False)["transactions"]  # noqa: FBT003
    (other,) = (one for one in hashes if one != tx_hash)
    return other


def test_a_node_that_refuses_wide_ranges_is_asked_for_narrow_ones(base, payee):
    def narrow(method, params, told):
        if method == "eth_getLogs":
            wide = int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16)
            if wide > 1:
                raise RpcError(-32005, "query returned more than 10000 results")
        return told

    for _ in range(5):
        _send(base, payee.base, 1_000_000)
        base.mine()
    base.mine(2)
    base.rpc.spoil = narrow
    for _ in range(3):
        _look()
    assert states() == ["FINAL"] * 5


@pytest.mark.parametrize("error", [RpcError(-32000, "boom"), NoAnswer("timed out")])
@pytest.mark.parametrize(
    "method", ["eth_getLogs", "eth_getBlockByNumber", "eth_getTransactionReceipt"]
)
def test_a_node_that_fails_costs_a_round_and_nothing_else(base, payee, method, error):
    def fail(asked, _params, told):
        if asked == method:
            raise error
        return told

    _send(base, payee.base, 5_000_000)
    base.mine(3)
    before = _height()
    base.rpc.spoil = fail
    _look()
    assert (states(), _height()) == ([], before)

    base.rpc.honest()
    _look()

    assert states() == ["FINAL"]


def test_a_receipt_that_is_missing_is_waited_for(base, payee):
    _send(base, payee.base, 5_000_000)
    base.mine(3)
    before = _height()
    base.rpc.spoil = lambda method, _, told: None if method.endswith("Receipt") else told
    _look()
    assert (states(), _height()) == ([], before)


def test_an_answer_that_was_empty_is_asked_for_again(base, payee):
    _send(base, payee.base, 5_000_000)
    base.mine(3)
    base.rpc.spoil = lambda method, _, told: [] if method == "eth_getLogs" else told
    _look()
    assert states() == []

    base.rpc.honest()
    base.mine()
    _look()

    assert states() == ["FINAL"]


def test_a_quiet_round_asks_little(base, payee):
    base.mine(3)
    _look()
    base.rpc.asked.clear()
    base.mine()
    _look()
    heads, pages = (
        ["eth_chainId", *["eth_getBlockByNumber"] * 3],
        ["eth_getLogs", "eth_getBlockByNumber"],
    )
    assert base.rpc.asked == [*heads, *pages, *pages]


def test_a_node_that_lags_moves_nothing_back(base, payee):
    _send(base, payee.base, 5_000_000)
    base.mine(4)
    _look()
    before = _height()

    def lag(method, params, told):
        old = hex(before - 3)
        tags = ("latest", "finalized")
        if method == "eth_getBlockByNumber" and params[0] in tags:
            return base.world.rpc("eth_getBlockByNumber", old, False)  # noqa: FBT003
        return told

    base.rpc.spoil = lag
    _look()

    assert (states(), _height()) == (["FINAL"], before)


def test_a_node_of_another_chain_is_not_believed(base, payee):
    chains._watches["Base"] = Careful(EvmWatch(replace(POLYGON, name="Base"), base.rpc))
    _send(base, payee.base, 5_000_000)
    base.mine(3)
    before = _height()
    _look()
    assert (states(), _height()) == ([], before)


def test_who_wrote_an_address_into_the_database_is_not_credited(base, payee):
    _send(base, base.world.chain.treasury, 5_000_000)
    base.mine(3)
    forged = (
        "INSERT INTO deposit_addresses VALUES ('evm', 2000000, :address, '\\x00', now(),"
        " 'user', :user, now())"
    )
    with transaction() as session:
        session.connection().exec_driver_sql(
            forged.replace(":address", "%s").replace(":user", "%s"),
            (base.world.chain.treasury, "mallory"),
        )
    _look()
    assert states() == []
