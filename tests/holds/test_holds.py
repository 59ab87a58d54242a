"""Money from and to listed addresses is held until a person has decided."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text

from protonpay.chains.watch import Arrival
from protonpay.deposits import held as deposits
from protonpay.deposits.models import Deposit
from protonpay.holds import service as holds
from protonpay.invoices import held as invoices
from protonpay.invoices import receiving
from protonpay.kernel.errors import Conflict, NotFound
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import audit, chart
from protonpay.ledger import service as ledger
from protonpay.payouts.models import Payout
from protonpay.reconciliation import books
from protonpay.store.db import db, transaction
from protonpay.wallets import recording
from tests.actors import Actor
from tests.events import events_of
from tests.payouts.fake_chain import FAILED, LANDED, FakeChain
from tests.payouts.orders import WALLETS, accepted, confirm, jobs, sent, sign, stored
from tests.unchanged import nothing_changes, only_changes
from tests.wallets.pools import follow_all, told

SENDER = "0x7F367cC41522cE07553e823bf3be79A889DEbe1B"
AMOUNT = Usdc.parse("12.5")
Listing = Callable[[str], None]


def _arrives(
    actor: Actor, sender: str | None = SENDER, *payers: str, final: bool = True
) -> Deposit:
    arrival = Arrival("0xours", sender, AMOUNT, "0xhash", 0, 7, "0xblock7", payers)
    with transaction():
        recording.record("Base", [arrival], {"0xours": ("user", actor.id)}, final=final)
    follow_all()
    return _deposit(actor)


def _deposit(actor: Actor) -> Deposit:
    found = db.session.query(Deposit).filter_by(user_id=actor.id).populate_existing()
    return found.one()


def _suspense() -> Usdc:
    return ledger.balance(chart.suspense("Base"))


def _sound() -> bool:
    return audit.findings() == []


# Deposits


def test_what_a_listed_sender_pays_is_in_the_book_and_nobodys(bob: Actor, listing: Listing):
    listing(SENDER.lower())
    deposit = _arrives(bob)

    assert (deposit.state, deposit.reason) == ("ON_HOLD", "of the tests")
    assert (bob.available, _suspense(), _sound()) == (ZERO, AMOUNT, True)
    assert ledger.balance(chart.custody("Base")) == ZERO - AMOUNT
    assert books.credits_without_transfer("Base") == []
    assert books.of_network("Base", 0).credited == AMOUNT.micro
    shown = bob.get(f"/client/deposit/{deposit.id}").get_json()["deposit"]
    assert (shown["status"], "of the tests" in str(shown)) == ("ON_HOLD", False)
    assert (events_of(bob.id), bob.get("/client/dashboard").get_json()["totalDeposited"]) == (
        *([], "0.00"),
    )
    with nothing_changes():
        follow_all()


def test_seen_is_not_held_yet_and_another_senders_is_credited(bob: Actor, listing: Listing):
    listing(WALLETS["Polygon"])
    assert _arrives(bob, final=False).state == "PENDING"
    assert _arrives(bob).state == "CONFIRMED"
    assert (bob.available, _suspense()) == (AMOUNT, ZERO)


def test_a_sender_that_the_network_does_not_name_is_not_held(bob: Actor, listing: Listing):
    listing(SENDER)
    assert _arrives(bob, None).state == "CONFIRMED"


def test_who_pays_together_with_others_is_held_and_goes_back_to_none_of_them(
    bob: Actor, listing: Listing
):
    listing(SENDER)
    deposit = _arrives(bob, None, WALLETS["Base"], SENDER)
    assert (deposit.state, bob.available, _suspense()) == ("ON_HOLD", ZERO, AMOUNT)
    with nothing_changes(), pytest.raises(Conflict) as refusal:
        holds.refund(deposit.id, "whose is it?")
    assert refusal.value.code == "sender_unknown"
    holds.release(deposit.id, "known to us")
    assert (bob.available, _sound()) == (AMOUNT, True)


def test_a_released_deposit_is_credited_once(bob: Actor, listing: Listing):
    listing(SENDER)
    deposit_id = _arrives(bob).id
    holds.release(deposit_id, "a false hit")

    deposit = _deposit(bob)
    assert (deposit.state, deposit.reason) == ("CONFIRMED", "of the tests; released: a false hit")
    assert (bob.available, _suspense(), _sound()) == (AMOUNT, ZERO, True)
    assert [name for name, _ in events_of(bob.id)] == ["deposit.confirmed"]
    with nothing_changes():
        follow_all()
        for decide in (holds.release, holds.refund):
            with pytest.raises(NotFound):
                decide(deposit_id, "once more")


def test_a_deposit_goes_back_to_its_sender(bob: Actor, base: FakeChain, listing: Listing):
    listing(SENDER)
    deposit_id = _arrives(bob).id
    holds.refund(deposit_id, "not ours")
    payout_id = str(_deposit(bob).return_payout_id)
    with nothing_changes():
        for decide in (holds.release, holds.refund):
            with pytest.raises(Conflict):
                decide(deposit_id, "at the same time")
    assert (stored(payout_id).wallet_address, _suspense()) == (SENDER, ZERO)
    shown = bob.get("/client/balance").get_json()
    assert (shown["heldUsdc"], shown["onHoldUsdc"]) == ("0.00", "12.50"), "and not twice"
    later = holds.follow_return("deposit", deposit_id)
    assert later is not None

    sent(payout_id)
    base.plan("outcome", LANDED)
    confirm(payout_id)
    assert holds.follow_return("deposit", deposit_id) is None
    shown = bob.get(f"/client/deposit/{deposit_id}").get_json()["deposit"]
    assert (_deposit(bob).state, shown["status"]) == ("RETURNED", "REFUNDED")
    assert bob.get("/client/dashboard").get_json()["totalWithdrawn"] == "0.00"
    assert events_of(bob.id) == []
    assert (bob.available, bob.held, ledger.balance(chart.custody("Base"))) == (ZERO, ZERO, ZERO)
    assert (_sound(), holds.listed()) == (True, [])
    assert [order.amount for _, (order,), _ in base.signed] == [AMOUNT]


def test_what_cannot_be_sent_back_is_held_again(bob: Actor, base: FakeChain, listing: Listing):
    listing(SENDER)
    deposit_id = _arrives(bob).id
    holds.refund(deposit_id, "not ours")
    payout_id = str(_deposit(bob).return_payout_id)
    sent(payout_id)
    base.plan("outcome", FAILED)
    confirm(payout_id)
    assert holds.follow_return("deposit", deposit_id) is None

    assert (stored(payout_id).state, _deposit(bob).state) == ("FAILED", "ON_HOLD")
    assert (_suspense(), bob.available, bob.held, _sound()) == (AMOUNT, ZERO, ZERO, True)
    assert events_of(bob.id) == []
    holds.release(deposit_id, "nobody takes it")
    assert bob.available == AMOUNT


@pytest.mark.parametrize("kind", ["deposit", "payment"])
def test_who_followed_a_way_back_that_failed_ends_no_later_one(
    kind: str, bob: Actor, base: FakeChain, listing: Listing, fill: Callable[..., None]
):
    """Another worker was faster, and an operator has sent it back once more since."""
    fill()
    listing(SENDER)
    if kind == "deposit":
        _arrives(bob)
    else:
        _invoice_paid(bob)
    (hold,) = holds.listed()
    holds.refund(hold.id, "not ours")
    first = str(holds.listed()[0].returned_by)
    sent(first)
    base.plan("outcome", FAILED)
    confirm(first)
    assert holds.follow_return(kind, hold.id) is None
    holds.refund(hold.id, "once more")

    room = {"deposit": deposits, "payment": invoices}[kind]
    with nothing_changes():
        room.end_return(hold.id, first, arrived=False)
        for decide in (holds.release, holds.refund):
            with pytest.raises(Conflict):
                decide(hold.id, "while it is on its way")


def test_a_return_is_no_withdrawal_of_the_user(bob: Actor, base: FakeChain, listing: Listing):
    """Their limits do not stop it, and it does not use up what they may do."""
    listing(SENDER)
    with transaction():
        db.session.execute(text("UPDATE plans SET single_limit_micro = 1, cooldown_seconds = 600"))
    deposit_id = _arrives(bob).id
    holds.refund(deposit_id, "not ours")
    assert sign(str(_deposit(bob).return_payout_id)) is None
    quote = bob.post("/client/withdraw/quote", {"amount": "0.000001", "network": "Base"}).get_json()
    assert "withdrawal_cooldown" not in str(quote)


# Payments of invoices


def _invoice_paid(actor: Actor, sender: str | None = SENDER, *payers: str) -> str:
    answer = actor.post("/client/invoices", {"amount": "12.5", "currency": "USDC"})
    assert answer.status_code == 200, answer.get_json()
    invoice_id: str = answer.get_json()["invoice"]["id"]
    arrival = Arrival("0xinvoice", sender, AMOUNT, "0xhash", 0, 7, "0xblock7", payers)
    with transaction():
        recording.record("Base", [arrival], {"0xinvoice": ("invoice", invoice_id)}, final=True)
    for incoming_id in told():
        receiving.follow(incoming_id)
    return invoice_id


def _shown(actor: Actor, invoice_id: str) -> tuple[str, str]:
    shown = actor.get(f"/client/invoices/{invoice_id}").get_json()["invoice"]
    return shown["status"], shown["amountPaid"]


def test_an_invoice_is_not_paid_by_a_listed_sender_until_it_is_released(
    bob: Actor, listing: Listing, fill: Callable[..., None]
):
    fill()
    listing(SENDER)
    # Whoever else has paid along with them.
    invoice_id = _invoice_paid(bob, None, WALLETS["Base"], SENDER)
    (hold,) = holds.listed()
    assert (hold.kind, hold.amount, hold.why) == ("payment", AMOUNT, "of the tests")
    assert _shown(bob, invoice_id) == ("PENDING", "0.00")
    assert (bob.available, _suspense(), _sound()) == (ZERO, AMOUNT, True)
    (line,) = bob.get("/client/activity").get_json()["activity"]
    assert (line["status"], events_of(bob.id)) == ("ON_HOLD", [])

    holds.release(hold.id, "a false hit")
    assert _shown(bob, invoice_id) == ("PAID", "12.50")
    assert (bob.available, _suspense(), _sound()) == (AMOUNT, ZERO, True)
    assert [name for name, _ in events_of(bob.id)] == ["invoice.paid"]


def test_a_payment_of_an_invoice_goes_back_to_its_sender(
    bob: Actor, base: FakeChain, listing: Listing, fill: Callable[..., None]
):
    fill()
    listing(SENDER)
    invoice_id = _invoice_paid(bob)
    (hold,) = holds.listed()
    holds.refund(hold.id, "not ours")
    payout_id = str(holds.listed()[0].returned_by)
    sent(payout_id)
    base.plan("outcome", LANDED)
    confirm(payout_id)
    assert holds.follow_return("payment", hold.id) is None

    assert (_shown(bob, invoice_id), holds.listed()) == (("PENDING", "0.00"), [])
    assert (bob.available, _suspense(), ledger.balance(chart.custody("Base"))) == (ZERO,) * 3
    (line,) = [
        one for one in bob.get("/client/activity").get_json()["activity"] if one["invoiceId"]
    ]
    assert (line["status"], _sound()) == ("REFUNDED", True)


# Payouts


def test_a_payout_to_a_listed_address_is_held_when_it_is_asked_for(
    alice: Actor, base: FakeChain, listing: Listing
):
    listing(WALLETS["Base"].lower())
    payout_id = accepted(alice)

    assert (stored(payout_id).state, stored(payout_id).hold_reason) == ("ON_HOLD", "of the tests")
    assert [job for job, _ in jobs() if job == "payouts.sign"] == []
    shown = alice.get(f"/client/withdraw/{payout_id}").get_json()["payout"]
    assert (shown["status"], "of the tests" in str(shown)) == ("ON_HOLD", False)
    assert str(alice.held) == "50.05"
    with nothing_changes():
        assert sign(payout_id) is None


def test_an_address_that_is_listed_later_is_held_before_it_is_signed(
    alice: Actor, base: FakeChain, listing: Listing
):
    payout_id = accepted(alice)
    listing(WALLETS["Base"])
    with only_changes("payouts"):
        assert sign(payout_id) is None
    assert (stored(payout_id).state, base.signed) == ("ON_HOLD", [])


def test_a_released_payout_is_signed_although_it_is_listed(
    alice: Actor, base: FakeChain, listing: Listing
):
    listing(WALLETS["Base"])
    payout_id = accepted(alice)
    holds.release(payout_id, "a false hit")
    assert jobs()[-1] == ("payouts.sign", {"payout_id": payout_id})
    assert sign(payout_id) is None
    assert stored(payout_id).state == "SIGNED"
    with nothing_changes(), pytest.raises(NotFound):
        holds.release(payout_id, "once more")


def test_a_refunded_payout_gives_everything_back(alice: Actor, base: FakeChain, listing: Listing):
    listing(WALLETS["Base"])
    payout_id = accepted(alice)
    holds.refund(payout_id, "not to them")

    assert (stored(payout_id).state, stored(payout_id).failure_code) == (
        *("FAILED", "refused_on_review"),
    )
    assert (str(alice.available), alice.held, _sound()) == ("1000.00", ZERO, True)
    ((name, data),) = events_of(alice.id)
    assert (name, data["reason"]) == ("payout.failed", "refused_on_review")
    assert db.session.query(Payout).count() == 1


def test_operators_decide_by_command(house: Flask, alice: Actor, bob: Actor, listing: Listing):
    listing(SENDER)
    listing(WALLETS["Base"])
    deposit_id, payout_id = _arrives(bob).id, accepted(alice)

    def flask(*words: str) -> tuple[int, str]:
        db.session.commit()
        result = house.test_cli_runner().invoke(args=["ops", "holds", *words])
        return result.exit_code, result.output

    _, said = flask("list")
    assert f"deposit of 12.50 USDC from {SENDER} on Base" in said
    assert f"payout of 50.05 USDC to {WALLETS['Base']} on Base" in said
    assert flask("release", deposit_id)[0] == 2, "no reason"
    assert flask("release", deposit_id, "--reason", "well") == (
        *(0, f"{deposit_id}: deposit released.\n"),
    )
    assert flask("refund", payout_id, "--reason", "no") == (
        *(0, f"{payout_id}: payout is given back.\n"),
    )
    assert flask("list") == (0, "")
    assert flask("refund", payout_id, "--reason", "no")[0] == 1
