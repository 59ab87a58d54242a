"""What a transaction was to us, told of real transactions on real chains."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from solders.keypair import Keypair
from sqlalchemy import select, update

from protonpay.chains.evm_inspection import EvmInspector
from protonpay.chains.inspection import Inspected, Standing
from protonpay.chains.registry import BASE, POLYGON, SOLANA, chains
from protonpay.chains.solana_inspection import SolanaInspector
from protonpay.deposits.models import Deposit
from protonpay.kernel import clock
from protonpay.kernel.errors import Invalid
from protonpay.kernel.money import Usdc
from protonpay.payouts.models import AttemptedPayout, OutbidSend, PayoutAttempt
from protonpay.reconciliation.explaining import SAID, Explained, Verdict, explain
from protonpay.sandbox.evm import abi
from protonpay.store.db import transaction
from protonpay.treasury.models import SweepBatch
from protonpay.wallets import watching
from protonpay.wallets.models import DepositAddress, WatchMark
from protonpay.wire.http import NoAnswer
from tests.chains.solana.local_node import pays
from tests.payouts.orders import accepted
from tests.unchanged import nothing_changes
from tests.wallets.pools import follow_all
from tests.wallets.test_scanning import LOOK_ALIKE

pytestmark = pytest.mark.slow

NO_TX = "0x" + "ab" * 32
# The same, but symbol() is answered with the string "USDC" in the form of the ABI.
_IS_SYMBOL = f"60003560e01c6395d89b4114{0x40:#04x}57".replace("0x", "60")
_ANSWER = f"5b6020600052600460205263{b'USDC'.hex()}60e01b60405260606000f3"
NAMED = f"0x{_IS_SYMBOL}{LOOK_ALIKE[2:]}{_ANSWER}"


@pytest.fixture
def base_asked(base):
    """Base, asked about one transaction through the node that a test may spoil."""
    chains._inspectors["Base"] = EvmInspector(BASE, base.rpc)
    yield base
    chains._inspectors.clear()


@pytest.fixture
def solana_asked(solana):
    chains._inspectors["Solana"] = SolanaInspector(SOLANA, solana.rpc)
    yield solana
    chains._inspectors.clear()


def act(base, to: str, *, data: str = "0x", value: int = 0, **more: Any) -> str:
    order = {"from": base.world.rpc("eth_accounts")[0], "to": to, "data": data, **more}
    return base.world.rpc("eth_sendTransaction", order | ({"value": hex(value)} if value else {}))


def pay(base, to: str, micro: int) -> str:
    return act(base, base.world.usdc, data=abi.call("transfer(address,uint256)", to, micro))


def one(tx_hash: str, address: str | None = None, network: str = "Base") -> Explained:
    with nothing_changes():
        told = explain(network, tx_hash, address)
    (line,) = told.lines
    return line


def verdict(tx_hash: str, network: str = "Base") -> Verdict:
    return one(tx_hash, network=network).verdict


def test_a_payment_from_the_pool_to_the_book(base_asked, payee):
    tx_hash = pay(base_asked, payee.base, 5_000_000)
    assert verdict(tx_hash) is Verdict.PENDING
    base_asked.mine()
    assert verdict(tx_hash) is Verdict.NOT_READ_YET
    watching.watch("Base")
    assert verdict(tx_hash) is Verdict.WAITS
    base_asked.mine(2)
    watching.watch("Base")
    follow_all()

    line = one(tx_hash.upper().replace("X", "x"))

    assert (line.verdict, line.amount, line.asset) == (Verdict.CREDITED, "5.00", "USDC")
    assert (line.address, line.holder) == (payee.base, f"user {payee.actor.id}")
    assert one(tx_hash, payee.base) == line
    assert one(tx_hash, "0x" + "11" * 20).verdict is Verdict.NOT_OURS


def test_what_the_watch_has_passed_without_a_row_is_said(base_asked, payee):
    with transaction() as session:
        session.execute(update(WatchMark).where(WatchMark.network == "Base").values(height=10**9))
    tx_hash = pay(base_asked, payee.base, 5_000_000)
    base_asked.mine()
    assert verdict(tx_hash) is Verdict.NOT_READ_YET
    base_asked.mine(2)
    assert verdict(tx_hash) is Verdict.NOT_RECORDED


def test_the_same_twice_in_one_transaction_is_credited_and_told_of_twice(base_asked, payee):
    rpc, twice = base_asked.world.rpc, "0x" + "76" * 20
    # Does with USDC what it is called with, two times over.
    again = f"60006000366000600073{base_asked.world.usdc[2:]}5af150"
    rpc("anvil_setCode", twice, f"0x366000600037{again}{again}00")
    pay(base_asked, twice, 10_000_000)
    base_asked.mine()
    before = payee.actor.available
    data = abi.call("transfer(address,uint256)", payee.base, 5_000_000)
    tx_hash = act(base_asked, twice, data=data, gas=hex(500_000))
    base_asked.mine(3)
    watching.watch("Base")
    follow_all()

    with nothing_changes():
        told = explain("Base", tx_hash)

    assert [(line.verdict, line.amount) for line in told.lines] == [(Verdict.CREDITED, "5.00")] * 2
    assert payee.actor.available == before + Usdc.parse("10")


@pytest.mark.parametrize("state", ["ON_HOLD", "RETURNED"])
def test_what_is_held_and_what_is_sent_back(base_asked, payee, state: str):
    tx_hash = pay(base_asked, payee.base, 5_000_000)
    base_asked.mine(3)
    watching.watch("Base")
    follow_all()
    with transaction() as session:
        session.execute(update(Deposit).values(state=state, reason="listed"))
    assert verdict(tx_hash) is Verdict(state)


def test_what_we_sent_ourselves_is_ours(base_asked, payee):
    payout = accepted(payee.actor)
    paid, swept = pay(base_asked, "0x" + "99" * 20, 1), pay(base_asked, "0x" + "98" * 20, 2)
    base_asked.mine()
    signed = {"network": "Base", "sender": "0x1", "sequence": 1, "raw": b"1", "terms": {}}
    now = {"created_at": clock.now()}
    with transaction() as session:
        more = {"sequence_used": True, "state": "OPEN"}
        attempt = PayoutAttempt(**signed, **now, **more, tx_hash="0xnewer")
        session.add(attempt)
        session.flush()
        session.add(AttemptedPayout(attempt_id=attempt.id, payout_id=payout, state="OPEN"))
        outbid = {"raw": b"1", "terms": {}, "outbid_at": clock.now()}
        session.add(OutbidSend(attempt_id=attempt.id, tx_hash=paid, **outbid))
        session.add(SweepBatch(**signed, **now, tx_hash=swept, state="SENT"))
    line = one(paid)
    assert (line.verdict, line.more) == (Verdict.OUR_PAYOUT, f"payout {payout}, on chain SEEN")
    assert verdict(swept) is Verdict.OUR_SWEEP


def test_what_a_reorg_took_out_is_said_of_our_row(base_asked, payee):
    before = base_asked.world.rpc("evm_snapshot")
    tx_hash = pay(base_asked, payee.base, 5_000_000)
    base_asked.mine()
    watching.watch("Base")
    base_asked.world.rpc("evm_revert", before)
    base_asked.mine(2)
    watching.watch("Base")
    assert verdict(tx_hash) is Verdict.VANISHED


def test_coins_nothing_and_other_tokens_are_no_usdc(base_asked, payee):
    rpc = base_asked.world.rpc
    other, named = "0x" + "77" * 20, "0x" + "78" * 20
    (bridged,) = BASE.refused
    for contract, code in ((other, LOOK_ALIKE), (bridged, LOOK_ALIKE), (named, NAMED)):
        rpc("anvil_setCode", contract, code)
    asked = "0x" + abi.arguments(payee.base, 7_000_000).hex()
    sent = {
        Verdict.NATIVE_COIN: act(base_asked, payee.base, value=10**15),
        Verdict.NOTHING_MOVED: pay(base_asked, payee.base, 0),
        Verdict.OTHER_TOKEN: act(base_asked, other, data=asked),
        Verdict.LOOK_ALIKE: act(base_asked, bridged, data=asked),
    }
    calls_itself = act(base_asked, named, data=asked)
    base_asked.mine(3)
    watching.watch("Base")

    assert {said: verdict(tx_hash) for said, tx_hash in sent.items()} == {
        said: said for said in sent
    }
    native = one(sent[Verdict.NATIVE_COIN])
    assert (native.amount, native.asset) == (str(10**15), "native")
    line = one(calls_itself)
    assert (line.verdict, line.asset.endswith("(USDC)")) == (Verdict.LOOK_ALIKE, True)


def test_what_failed_and_what_is_not_there(base_asked, payee):
    order = {"gas": hex(100_000)}
    too_much = abi.call("transfer(address,uint256)", payee.base, 10**30)
    failed = act(base_asked, base_asked.world.usdc, data=too_much, **order)
    base_asked.mine()
    assert verdict(failed) is Verdict.FAILED
    chains._inspectors["Polygon"] = chains._inspectors["Base"]
    assert verdict(NO_TX) is Verdict.NOT_FOUND


def test_wallets_of_the_house_the_pool_and_strangers(base_asked, payee):
    treasury = chains.addresses().treasury["evm"]
    mine = pay(base_asked, treasury, 1)
    strange = pay(base_asked, "0x" + "99" * 20, 1)
    with transaction() as session:
        free = session.scalar(
            select(DepositAddress.address).filter_by(family="evm", holder_id=None).limit(1)
        )
    to_free = pay(base_asked, free, 1)
    base_asked.mine(3)
    watching.watch("Base")
    assert verdict(mine) is Verdict.OUR_WALLET
    assert verdict(strange) is Verdict.NOT_OURS
    assert verdict(to_free) is Verdict.NOBODYS_YET


def test_another_network_of_the_same_key_is_named(base_asked, payee):
    chains._inspectors["Polygon"] = EvmInspector(BASE, base_asked.rpc)
    chains._inspectors["Base"] = Missing()
    tx_hash = pay(base_asked, payee.base, 5_000_000)
    base_asked.mine()
    told = explain("Base", tx_hash)
    assert told.network == POLYGON.name
    assert told.lines[0].verdict is Verdict.NOT_READ_YET


def test_what_one_network_does_not_have_and_another_does_not_answer_for_is_unknown(
    base_asked, payee
):
    chains._inspectors["Polygon"] = Silent()
    assert explain("Base", NO_TX).network == POLYGON.name
    assert verdict(NO_TX) is Verdict.UNKNOWN
    chains._inspectors["Base"], chains._inspectors["Polygon"] = Silent(), Missing()
    assert verdict(NO_TX) is Verdict.UNKNOWN
    chains._inspectors["Polygon"] = EvmInspector(BASE, base_asked.rpc)
    tx_hash = pay(base_asked, payee.base, 5_000_000)
    base_asked.mine()
    assert explain("Base", tx_hash).network == POLYGON.name, "found beside a silent one"


def test_a_silent_node_is_unknown_and_our_rows_are_still_told(base_asked, payee):
    tx_hash = pay(base_asked, payee.base, 5_000_000)
    base_asked.mine(3)
    watching.watch("Base")
    follow_all()
    chains._inspectors["Base"] = Silent()
    told = explain("Base", tx_hash)
    assert told.standing is None
    assert [line.verdict for line in told.lines] == [Verdict.CREDITED, Verdict.UNKNOWN]
    assert verdict(NO_TX) is Verdict.UNKNOWN


def test_solana_is_told_alike(solana_asked, payee):
    signature = solana_asked.node.call("sandbox_sendUsdc", payee.solana, 5_000_000)
    solana_asked.node.warp(1)
    assert verdict(signature, "Solana") is Verdict.NOT_READ_YET
    watching.watch("Solana")
    assert verdict(signature, "Solana") is Verdict.WAITS
    solana_asked.node.finalize()
    watching.watch("Solana")
    coins = solana_asked.node.call("sandbox_sendSol", payee.solana, 10**9)
    solana_asked.node.finalize()
    line = one(coins, network="Solana")
    assert (line.verdict, line.amount) == (Verdict.NATIVE_COIN, str(10**9))
    payer = solana_asked.node.funded()
    strange = solana_asked.node.run(payer, pays(payer, Keypair().pubkey(), 10**9))
    solana_asked.node.finalize()
    assert verdict(strange, "Solana") is Verdict.NOT_OURS
    assert verdict(str(payer.sign_message(b"never sent")), "Solana") is Verdict.NOT_FOUND


@pytest.mark.parametrize(
    ("network", "name"),
    [("Base", "0x12"), ("Base", "5" * 88), ("Solana", NO_TX), ("Solana", "0"), ("Base", "")],
)
def test_what_is_no_hash_is_refused(base_asked, solana_asked, network: str, name: str):
    with pytest.raises(Invalid) as refusal:
        explain(network, name)
    assert refusal.value.code == "not_a_transaction"


def test_a_network_that_is_not_there_is_refused(house: Flask):
    with pytest.raises(Invalid) as refusal:
        explain("Atlantis", NO_TX)
    assert refusal.value.code == "unsupported_network"


def run(house: Flask, *arguments: str) -> Result:
    return house.test_cli_runner().invoke(args=["ops", "explain", *arguments])


def test_the_command_says_it_in_words(house: Flask, base_asked, payee):
    tx_hash = pay(base_asked, payee.base, 5_000_000)
    base_asked.mine()
    told = run(house, "Base", tx_hash)
    assert told.exit_code == 0, told.output
    assert told.output.startswith("SEEN on Base in block ")
    assert f"5.00 USDC at {payee.base} of user {payee.actor.id}" in told.output
    assert run(house, "Base", "0x1").exit_code == 1
    chains._inspectors["Base"] = Silent()
    assert run(house, "Base", tx_hash).exit_code == 3


def test_each_verdict_is_in_words_and_in_the_documents():
    assert set(SAID) == set(Verdict)
    page = (Path(__file__).parents[2] / "docs/chains.md").read_text()
    assert [one for one in Verdict if f"| `{one}` |" not in page] == []


class Silent:
    """A node that does not answer."""

    def canonical(self, tx_hash: str) -> str:
        return tx_hash

    def inspect(self, tx_hash: str):
        raise NoAnswer("the node is away")


class Missing(EvmInspector):
    """A node of a network where the transaction is not."""

    def __init__(self) -> None:
        pass

    def inspect(self, tx_hash: str):
        return Inspected(Standing.MISSING)
