"""POST /client/withdraw (API document)."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import text

from protonpay.chains.registry import NETWORKS, chains
from protonpay.kernel import clock, ids
from protonpay.kernel.money import Usdc
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.payouts import service
from protonpay.store.db import db
from tests.actors import Actor
from tests.events import events_of
from tests.payouts.orders import WALLETS, jobs, put, stored, usdc, withdraw, withdraw_at
from tests.plans.of_a_kind import on_plan
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

ACCEPTED = ("payouts", "journal_entries", "postings", "ledger_balances", "ledger_pending", "outbox")
FEES = {"Solana": "0.01", "Base": "0.05", "Polygon": "0.02"}


@pytest.mark.parametrize("network", NETWORKS)
def test_the_answer_is_the_documented_one(alice: Actor, network: str):
    moment = clock.now()
    with clock.frozen(moment), only_changes(*ACCEPTED):
        answer = withdraw(alice, 50, network)

    assert (answer.status_code, answer.content_type) == (200, "application/json")
    body = answer.get_json()
    assert list(body) == ["payout"]
    payout = body["payout"]
    assert ids.ID_PATTERN.fullmatch(payout["id"])
    assert payout == {
        "id": payout["id"],
        "amount": "50.00",
        "fee": FEES[network],
        "total": str(usdc("50") + usdc(FEES[network])),
        "walletAddress": WALLETS[network],
        "network": network,
        "status": "PENDING",
        "txHash": None,
        "failureCode": None,
        "waitingFor": "processing",
        "createdAt": clock.to_text(moment),
        "approvedAt": clock.to_text(moment),
        "signedAt": None,
        "sentAt": None,
        "endedAt": None,
        "cancellable": True,
    }
    assert list(payout)[:3] == ["id", "amount", "fee"]


def test_the_contracts_example_is_a_plan_with_one_percent(alice: Actor):
    on_plan(alice, withdrawal_fees='{"Solana": 0}', withdrawal_fee_bps=100)

    payout = withdraw(alice, 50, "Solana").get_json()["payout"]

    assert (payout["amount"], payout["fee"], payout["total"]) == ("50.00", "0.50", "50.50")


def test_amount_and_fee_are_held_at_once(alice: Actor):
    withdraw(alice, 50)

    assert (alice.available, alice.held) == (usdc("949.95"), usdc("50.05"))
    assert alice.get("/client/balance").get_json()["balanceUsdc"] == "949.95"
    assert ledger.balance(chart.FEES) == Usdc(0)


def test_that_it_must_be_sent_is_written_down_with_it(alice: Actor):
    payout_id = withdraw(alice).get_json()["payout"]["id"]

    assert jobs() == [("payouts.sign", {"payout_id": payout_id})]
    assert stored(payout_id).state == "PENDING"
    assert events_of(alice.id) == []


@pytest.mark.checklist(69)
def test_everything_but_the_fee_may_be_withdrawn(alice: Actor):
    with nothing_changes():
        refused(withdraw(alice, 1000), 400, "insufficient_balance")
        refused(withdraw(alice, "999.950001"), 400, "insufficient_balance")

    assert withdraw(alice, "999.95").status_code == 200
    assert (alice.available, alice.held) == (usdc("0"), usdc("1000"))


def test_more_than_any_account_can_hold_is_more_than_there_is(alice: Actor):
    most = 2**63 - 1
    on_plan(alice, single_limit_micro=most, daily_limit_micro=most)

    with nothing_changes():
        refused(withdraw(alice, str(Usdc(most))), 400, "insufficient_balance")


def test_what_is_held_cannot_be_withdrawn_again(alice: Actor):
    on_plan(alice, cooldown_seconds=0)
    withdraw(alice, 900)

    with nothing_changes():
        refused(withdraw(alice, 100), 400, "insufficient_balance")


@pytest.mark.checklist(78)
@pytest.mark.parametrize(
    "amount",
    [
        *(0, -1, "0", "-0.01", "0.0000001", "1.1234567", 0.0000001, "1e2", 1e30),
        *("-0", 10**18, "100.00000000000000001", "１００", "0X10"),  # noqa: RUF001 - look-alikes
        *(
            "NaN",
            "Infinity",
            True,
            None,
            [],
            {},
            "",
            " 1",
            "1 ",
            "1_0",
            "\uff11",
            "+1",
            "0x1",
            "50.00 USDC",
        ),
    ],
    ids=repr,
)
def test_an_amount_is_exact_and_above_zero(alice: Actor, amount: Any):
    with nothing_changes():
        body = refused(withdraw(alice, amount), 400, "validation_error")

    assert list(body["errors"]["json"]) == ["amount"]


def test_the_smallest_amount_there_is_may_be_withdrawn(alice: Actor):
    payout = withdraw(alice, "0.000001").get_json()["payout"]

    assert (payout["amount"], payout["total"]) == ("0.000001", "0.050001")


@pytest.mark.checklist(77)
@pytest.mark.parametrize(
    "network", ["solana", "SOLANA", "Ethereum", "Base ", "base", "Solana\u200b", "8453", "x" * 32]
)
def test_a_network_is_one_of_the_three(alice: Actor, network: str):
    with nothing_changes():
        refused(withdraw(alice, 50, network, walletAddress="x"), 400, "unsupported_network")


@pytest.mark.checklist(77)
@pytest.mark.parametrize("network", [None, "", 1, [], {}, ["Base"], "x" * 33, "Solana\0"], ids=repr)
def test_a_network_is_text(alice: Actor, network: Any):
    order = {"amount": 50, "walletAddress": WALLETS["Base"], "network": network}
    with nothing_changes():
        body = refused(alice.post("/client/withdraw", order), 400, "validation_error")

    assert list(body["errors"]["json"]) == ["network"]


BASE_WALLET, SOLANA_WALLET = WALLETS["Base"], WALLETS["Solana"]
NO_WALLETS = {
    "Base": [
        *(BASE_WALLET.swapcase(), BASE_WALLET[:-1] + "D", BASE_WALLET[:-1], BASE_WALLET + "0"),
        *("0X" + BASE_WALLET[2:], f" {BASE_WALLET}", f"{BASE_WALLET} ", f"{BASE_WALLET}\n"),
        *("0x" + "0" * 40, "0x" + "0" * 38 + "01", "vitalik.eth", f"eip155:8453:{BASE_WALLET}"),
        *(SOLANA_WALLET, "' OR 1=1--", "x" * 128, "0x" + "g" * 40, "0x" + "１" * 40),  # noqa: RUF001
    ],
    "Solana": [
        *(SOLANA_WALLET[:31], SOLANA_WALLET + "1", SOLANA_WALLET * 2, f"{SOLANA_WALLET}\n"),
        *(
            f" {SOLANA_WALLET}",
            "0" + SOLANA_WALLET[1:],
            "1" * 32,
            "toly.sol",
            BASE_WALLET,
            "O" * 43,
        ),
        "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
    ],
}


@pytest.mark.checklist(76)
@pytest.mark.parametrize(
    ("network", "address"),
    [(network, address) for network, each in NO_WALLETS.items() for address in each],
)
def test_what_is_no_wallet_of_the_network_is_refused(alice: Actor, network: str, address: str):
    with nothing_changes():
        refused(withdraw(alice, 50, network, walletAddress=address), 400, "invalid_address")


@pytest.mark.parametrize("address", [None, "", 1, [], {}, "x" * 129, "a\0b"], ids=repr)
def test_a_wallet_is_text(alice: Actor, address: Any):
    with nothing_changes():
        body = refused(withdraw(alice, walletAddress=address), 400, "validation_error")

    assert list(body["errors"]["json"]) == ["walletAddress"]


@pytest.mark.checklist(76)
@pytest.mark.parametrize("network", NETWORKS)
def test_a_token_and_our_own_wallets_are_no_wallets(alice: Actor, network: str):
    of = NETWORKS[network]
    ours = chains.addresses()
    wallets = (ours.treasury[of.family], ours.gas[of.family], ours.sweeper[of.family])
    for address in (of.usdc, *wallets, *of.refused):
        with nothing_changes():
            refused(withdraw(alice, 50, network, walletAddress=address), 400, "invalid_address")
        if of.family == "evm":
            lower = address.lower()
            refused(withdraw(alice, 50, network, walletAddress=lower), 400, "invalid_address")


@pytest.mark.parametrize("spelling", [str.lower, lambda text: "0x" + text[2:].upper()])
def test_an_address_without_a_checksum_is_answered_with_one(alice: Actor, spelling: Any):
    payout = withdraw(alice, walletAddress=spelling(BASE_WALLET)).get_json()["payout"]

    assert payout["walletAddress"] == BASE_WALLET
    assert stored(payout["id"]).wallet_address == BASE_WALLET


@pytest.mark.checklist(79)
@pytest.mark.parametrize("extra", ["fee", "status", "userId", "id", "total", "txHash", "balance"])
def test_nothing_else_is_the_clients_to_say(alice: Actor, extra: str):
    with nothing_changes():
        body = refused(withdraw(alice, **{extra: 0}), 400, "validation_error")

    assert body["errors"] == {"json": {extra: ["Unknown field."]}}


def _change(actor: Actor, assignment: str) -> None:
    db.session.execute(text(f"UPDATE users SET {assignment} WHERE id = :id"), {"id": actor.id})


def test_a_suspended_account_withdraws_nothing(alice: Actor):
    _change(alice, "standing = 'SUSPENDED'")

    with nothing_changes():
        refused(withdraw(alice), 403, "account_suspended")


@pytest.mark.checklist(80)
def test_a_plan_may_ask_for_a_verified_address(alice: Actor):
    on_plan(alice, needs_verified_email=True)
    with nothing_changes():
        refused(withdraw(alice), 403, "email_unverified")

    _change(alice, "email_verified_at = now()")

    assert withdraw(alice).status_code == 200


@pytest.mark.checklist(80)
def test_a_plan_may_ask_for_an_identity_check(alice: Actor):
    on_plan(alice, needs_kyc=True)

    with nothing_changes():
        refused(withdraw(alice), 403, "kyc_required")


def test_a_plan_may_leave_a_network_out(alice: Actor):
    on_plan(alice, withdrawal_fees='{"Base": 50000}')

    with nothing_changes():
        refused(withdraw(alice, 50, "Solana"), 400, "unsupported_network")
    assert withdraw(alice, 50, "Base").status_code == 200


@pytest.mark.parametrize("step", ["outbox", "ledger"])
def test_an_order_that_breaks_half_way_never_was(
    alice: Actor, monkeypatch: pytest.MonkeyPatch, step: str
):
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError

    with nothing_changes(), monkeypatch.context() as broken:
        if step == "outbox":
            broken.setattr(service.outbox, "add", fails)
        else:
            broken.setattr(service.ledger, "post", fails)
        refused(withdraw(alice), 500, "internal_error")
    assert withdraw(alice).status_code == 200


def test_one_can_look_at_ones_own(alice: Actor, bob: Actor):
    payout = withdraw(alice).get_json()["payout"]

    assert alice.get(f"/client/withdraw/{payout['id']}").get_json() == {"payout": payout}
    refused(bob.get(f"/client/withdraw/{payout['id']}"), 404, "not_found")
    refused(alice.get("/client/withdraw/cmaaaaaaaaaaaaaaaaaaaaaaa"), 404, "not_found")


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("PENDING", "PENDING"),
        ("SIGNED", "PENDING"),
        ("SENT", "PENDING"),
        ("COMPLETED", "COMPLETED"),
        ("FAILED", "FAILED"),
    ],
)
def test_the_way_there_is_ours_and_the_end_is_the_clients(alice: Actor, state: str, shown: str):
    payout_id = withdraw_at(clock.now(), alice)
    put(payout_id, state)

    payout = alice.get(f"/client/withdraw/{payout_id}").get_json()["payout"]
    assert payout["status"] == shown


def test_no_node_is_asked_at_the_door(alice: Actor, settings: Mapping[str, str]):
    """The nodes of the tests do not answer, and nobody notices."""
    assert settings["BASE_RPC_URL"] == "http://127.0.0.1:9"

    assert withdraw(alice).status_code == 200
