"""Solana watched account by account, on a real node that runs the real token program."""

from datetime import timedelta

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import transfer_checked
from spl.token.models import TransferCheckedParams
from sqlalchemy import text

from protonpay.kernel.money import Usdc
from protonpay.sandbox.solana.tokens import ata
from protonpay.store.db import db
from protonpay.wallets import watching
from protonpay.wallets.models import WatchedAccount
from protonpay.wire.http import NoAnswer
from protonpay.wire.jsonrpc import RpcError
from tests.chains.solana.local_node import USDC
from tests.unchanged import only_changes
from tests.wallets.pools import follow_all, states, told, transfers

pytestmark = pytest.mark.slow

MINT = Pubkey.from_string(USDC)


def _look() -> None:
    """Look at every account, whenever it would be due."""
    db.session.execute(text("UPDATE watched_accounts SET due_at = '2020-01-01+00'"))
    db.session.commit()
    watching.watch("Solana")


def _pay(solana, to: str, micro: int) -> str:
    signature = solana.node.call("sandbox_sendUsdc", to, micro)
    solana.node.warp(1)
    return signature


def _watched(address: str) -> WatchedAccount:
    return db.session.get(WatchedAccount, ("Solana", address), populate_existing=True)


def test_a_payment_is_seen_then_final_and_credited_once(solana, payee):
    signature = _pay(solana, payee.solana, 5_000_000)
    _look()
    follow_all()
    (seen,) = transfers()
    assert (seen.state, seen.tx_hash, seen.amount_micro) == ("SEEN", signature, Usdc(5_000_000))
    assert seen.address == payee.solana
    assert payee.actor.available == Usdc.parse("1000")

    solana.node.finalize()
    _look()
    _look()
    follow_all()
    follow_all()

    assert (states(), told()) == (["FINAL"], [seen.id] * 2)
    assert payee.actor.available == Usdc.parse("1005")
    assert _watched(payee.solana).balance_micro == Usdc(5_000_000)
    assert _watched(payee.solana).cursor == signature


def test_looking_again_changes_nothing_and_costs_one_question(solana, payee):
    _pay(solana, payee.solana, 5_000_000)
    solana.node.finalize()
    _look()
    solana.rpc.asked.clear()
    with only_changes("watch_marks", "watched_accounts"):
        _look()
    assert solana.rpc.asked == ["getMultipleAccounts"]


def test_many_payments_are_read_in_their_order(solana, payee):
    paid = [_pay(solana, payee.solana, micro) for micro in (1, 20, 300)]
    solana.node.finalize()
    later = _pay(solana, payee.solana, 4000)
    _look()
    follow_all()

    found = {row.tx_hash: (row.state, row.amount_micro.micro) for row in transfers()}
    assert found == {
        paid[0]: ("FINAL", 1),
        paid[1]: ("FINAL", 20),
        paid[2]: ("FINAL", 300),
        later: ("SEEN", 4000),
    }
    assert _watched(payee.solana).cursor == paid[2]
    assert payee.actor.available == Usdc.parse("1000.000321")


def test_two_transfers_in_one_transaction_are_one_arrival(solana, payee):
    payer = solana.node.funded(micro=10_000_000)
    _pay(solana, payee.solana, 1)
    steps = [_transfer(payer, payee.solana, micro) for micro in (2_000_000, 3_000_000)]
    signature = solana.node.run(payer, *steps)
    solana.node.finalize()
    _look()
    amounts = {row.tx_hash: row.amount_micro for row in transfers()}
    assert amounts[signature] == Usdc(5_000_000)
    (row,) = [row for row in transfers() if row.tx_hash == signature]
    assert row.sender == str(payer.pubkey())


def test_of_several_who_paid_at_once_all_are_known(solana, payee):
    _pay(solana, payee.solana, 1)
    payers = [solana.node.funded(micro=10_000_000) for _ in range(2)]
    steps = [_transfer(payer, payee.solana, 2_000_000) for payer in payers]
    signature = solana.node.run(payers[0], *steps, signers=payers[1:])
    solana.node.finalize()
    _look()
    (row,) = [row for row in transfers() if row.tx_hash == signature]
    assert (row.sender, row.payers) == (None, sorted(str(one.pubkey()) for one in payers))


def _transfer(payer: Keypair, to: str, micro: int):
    params = TransferCheckedParams(
        program_id=TOKEN_PROGRAM_ID,
        source=ata(payer.pubkey(), MINT),
        mint=MINT,
        dest=ata(Pubkey.from_string(to), MINT),
        owner=payer.pubkey(),
        amount=micro,
        decimals=6,
    )
    return transfer_checked(params)


def test_a_transfer_of_nothing_and_one_that_failed_are_no_deposits(solana, payee):
    payer = solana.node.funded(micro=1_000_000)
    _pay(solana, payee.solana, 1)
    solana.node.finalize()
    _look()
    solana.node.run(payer, _transfer(payer, payee.solana, 0))
    too_much = solana.node.transaction(payer, _transfer(payer, payee.solana, 2_000_000))
    solana.node.send(too_much, skipPreflight=True)
    _pay(solana, payee.solana, 2)
    solana.node.finalize()
    _look()
    assert sorted(row.amount_micro.micro for row in transfers()) == [1, 2]


@pytest.mark.checklist(112)
def test_native_coin_is_no_deposit(solana, payee):
    solana.node.call("sandbox_sendSol", payee.solana, 10**9)
    solana.node.finalize()
    _look()
    assert states() == []


def test_a_payment_that_a_fork_takes_away_disappears(solana, payee):
    _pay(solana, payee.solana, 5_000_000)
    _look()
    follow_all()
    assert payee.actor.get("/client/activity").get_json()["activity"][0]["status"] == "PENDING"

    solana.node.call("sandbox_rollback", 5)
    _look()
    assert states() == ["SEEN"], "nothing is proved before its slot is final"
    solana.node.finalize()
    _look()
    follow_all()

    assert states() == ["VANISHED"]
    activity = payee.actor.get("/client/activity").get_json()["activity"]
    assert [line for line in activity if line["method"] == "CRYPTO"] == []
    assert payee.actor.available == Usdc.parse("1000")
    assert _watched(payee.solana).balance_micro == Usdc(0)


def test_a_payment_that_another_fork_has_again_is_credited_once(solana, payee):
    payer = solana.node.funded(micro=10_000_000)
    _pay(solana, payee.solana, 1)
    solana.node.finalize()
    _look()
    signed = solana.node.transaction(payer, _transfer(payer, payee.solana, 5_000_000))
    solana.node.warp(5)  # its block hash is one that both forks have
    signature = solana.node.send(signed)
    solana.node.warp(1)
    _look()
    assert sorted(states()) == ["FINAL", "SEEN"]
    options = {"encoding": "base64", "commitment": "confirmed", "maxSupportedTransactionVersion": 1}
    (raw, _) = solana.node.call("getTransaction", signature, options)["transaction"]

    lost = solana.node.call("sandbox_rollback", 3, [raw])
    solana.node.finalize()
    _look()
    follow_all()

    assert lost == [signature]
    assert sorted(states()) == ["FINAL", "FINAL"]
    assert payee.actor.available == Usdc.parse("1005.000001")


@pytest.mark.parametrize("error", [RpcError(-32005, "slow down"), NoAnswer("timed out")])
@pytest.mark.parametrize(
    "method", ["getMultipleAccounts", "getSignaturesForAddress", "getTransaction"]
)
def test_a_node_that_fails_costs_a_round_and_nothing_else(solana, payee, method, error):
    def fail(asked, _params, told):
        if asked == method:
            raise error
        return told

    _pay(solana, payee.solana, 5_000_000)
    solana.node.finalize()
    solana.rpc.spoil = fail
    _look()
    assert (states(), _watched(payee.solana).cursor) == ([], None)

    solana.rpc.honest()
    _look()

    assert states() == ["FINAL"]


@pytest.mark.parametrize(
    ("method", "empty"), [("getSignaturesForAddress", []), ("getTransaction", None)]
)
def test_a_node_whose_lists_lag_behind_its_balances_is_asked_again(solana, payee, method, empty):
    _pay(solana, payee.solana, 5_000_000)
    solana.node.finalize()
    solana.rpc.spoil = lambda asked, _, told: empty if asked == method else told
    _look()
    assert states() == []
    assert _watched(payee.solana).due_at < _watched(payee.solana).active_at + timedelta(seconds=60)

    solana.rpc.honest()
    _look()

    assert states() == ["FINAL"]


def test_finality_that_stalls_is_waited_for(solana, payee):
    solana.node.call("sandbox_stallFinality", True)  # noqa: FBT003
    _pay(solana, payee.solana, 5_000_000)
    solana.node.finalize()
    _look()
    _look()
    assert (states(), len(told())) == (["SEEN"], 1)
    solana.node.call("sandbox_stallFinality", False)  # noqa: FBT003
    solana.node.warp(1)
    _look()
    assert states() == ["FINAL"]


def test_a_quiet_account_is_looked_at_less_often_the_longer_it_is_quiet(solana, payee):
    waits = []
    for age in ("1 minute", "2 hours", "3 days"):
        change = f"UPDATE watched_accounts SET active_at = now() - interval '{age}'"
        db.session.execute(text(change))
        _look()
        left = "SELECT extract(epoch FROM due_at - now()) FROM watched_accounts"
        waits.append(int(db.session.scalar(text(left))))
    assert waits[0] <= 2 < waits[1] <= 10 < waits[2] <= 600


def test_who_asks_for_an_address_again_is_looked_at_at_once(solana, payee):
    db.session.execute(text("UPDATE watched_accounts SET due_at = now() + interval '1 day'"))
    payee.actor.post("/client/deposit/crypto", {"network": "Solana"})
    _pay(solana, payee.solana, 5_000_000)
    solana.node.finalize()

    watching.watch("Solana")

    assert states() == ["FINAL"]
