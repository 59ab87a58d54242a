"""What is a user's and not to be spent now: held, on its way, under review."""

from flask import Flask
from sqlalchemy import select

from protonpay.chains.watch import Arrival
from protonpay.deposits.models import Deposit
from protonpay.invoices import receiving
from protonpay.invoices.models import InvoicePayment
from protonpay.kernel.money import Usdc
from protonpay.store.db import transaction
from protonpay.wallets import recording
from tests.actors import Actor
from tests.invoices.asking import arrive, ask, change
from tests.notifications.happenings import hold
from tests.payouts.orders import WALLETS
from tests.portal.client.reader import sign_in
from tests.wallets import pools


def _aside(actor: Actor) -> tuple[str, str, str]:
    """Return what is pending, on hold and held; nobody else's is ever in it."""
    told = actor.get("/client/balance").get_json()
    return told["pendingUsdc"], told["onHoldUsdc"], told["heldUsdc"]


def _deposit(actor: Actor, *, final: bool) -> None:
    arrival = Arrival("0xours", "0xtheirs", Usdc.parse("12.5"), "0xhash", 0, 7, "0xblock7")
    with transaction():
        recording.record("Base", [arrival], {"0xours": ("user", actor.id)}, final=final)
    pools.follow_all()


def test_each_moves_with_what_it_is_of(house: Flask, alice: Actor, bob: Actor):
    reader = sign_in(house, alice)
    nothing = ("0.00", "0.00", "0.00")
    assert _aside(alice) == nothing
    assert "Coming in, not final yet" not in reader.open("/app").text

    _deposit(alice, final=False)
    made = ask(alice, "20")
    incoming_id = arrive(made.id, "20")
    receiving.follow(incoming_id)
    assert _aside(alice) == ("32.50", "0.00", "0.00")
    order = {"amount": 10, "walletAddress": WALLETS["Base"], "network": "Base"}
    assert alice.post("/client/withdraw", order).status_code == 200
    assert _aside(alice) == ("32.50", "0.00", "10.05")
    assert alice.held == Usdc.parse("10.05")

    with transaction() as session:
        payment = session.scalars(select(InvoicePayment).filter_by(incoming_id=incoming_id)).one()
        payment.state, payment.hold_reason = "ON_HOLD", "sanctions"
    assert _aside(alice) == ("12.50", "20.00", "10.05")
    text = reader.open("/app").text
    for said in (
        "Coming in, not final yet 12.50 USDC",
        "Under review 20.00 USDC",
        "Held for withdrawals 10.05 USDC",
    ):
        assert said in text
    assert "Удержано для выводов 10,05 USDC" in reader.open("/app?lang=ru").text

    _deposit(alice, final=True)
    assert _aside(alice) == ("0.00", "20.00", "10.05")
    hold(alice)
    assert _aside(alice) == ("0.00", "21.00", "10.05"), "one by card, too"
    assert _aside(bob) == nothing


def test_what_is_gone_or_was_never_paid_is_not_on_its_way(alice: Actor):
    made = ask(alice, "20")
    incoming_id = arrive(made.id, "20")
    receiving.follow(incoming_id)
    _deposit(alice, final=False)
    with transaction() as session:
        row = session.scalars(select(Deposit).filter_by(user_id=alice.id, method="CRYPTO")).one()
        assert row.state == "PENDING"
        recording.vanish("Base", "0xhash", 0)
    pools.follow_all()
    change(incoming_id, "VANISHED")
    receiving.follow(incoming_id)
    assert _aside(alice) == ("0.00", "0.00", "0.00")
