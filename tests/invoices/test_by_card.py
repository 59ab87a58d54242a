"""An invoice paid by card: one page at a time, the provider's word alone, nothing asked twice."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from structlog.testing import capture_logs

from protonpay.deposits import invoiced, review, settling
from protonpay.fx.port import Quote
from protonpay.invoices import cards, checkout, receiving, refunding, service
from protonpay.invoices.models import InvoiceCard
from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from protonpay.kernel.fiat import FiatAmount, Rate
from protonpay.kernel.money import Usdc
from protonpay.payouts.models import Payout
from protonpay.rails import service as rails
from protonpay.store.db import db, transaction
from tests.actors import Actor, make_actor
from tests.events import events_of
from tests.invoices.asking import ask, pay_on_chain
from tests.invoices.by_card import asked, deposit_of, open_page, press, state_of, tap, tap_simulator
from tests.invoices.test_refunding import WALLET
from tests.refusals import refused
from tests.simulators import Simulator
from tests.unchanged import nothing_changes

__all__ = ["tap", "tap_simulator"]
DAY = timedelta(days=1, seconds=1)
"""An invoice's day, and the second of its end."""


@pytest.mark.parametrize(
    ("rate", "due", "currency", "price"),
    [
        ("1", "50", "USD", "50.00"),
        ("1", "0.000001", "USD", "0.01"),
        ("3.6725", "50", "AED", "183.63"),
        ("0.30675", "9999999.99", "KWD", "3067499.997"),
    ],
)
def test_a_price_is_the_least_that_buys_it(rate: str, due: str, currency: str, price: str):
    of, amount = Rate.parse(rate), Usdc.parse(due)
    found = of.price(amount, currency)
    assert str(found) == price
    assert not of.to_usdc(found) < amount
    assert of.to_usdc(FiatAmount(found.minor - 1, currency)) < amount


def test_a_price_that_no_column_holds_is_refused(bob: Actor):
    """Of so many sum that no card was ever made for it."""
    made = ask(bob, "9000000000000")
    quoted = Quote(Rate.parse("12500"), "market", clock.now())
    with nothing_changes(), pytest.raises(Invalid) as refusal:
        invoiced.order(
            bob.id, made.id, Usdc.parse("9000000000000"), provider="freedompay", currency="UZS",
            quoted=quoted,
        )  # fmt: skip
    assert refusal.value.code == "invalid_amount"


def test_paid_once_whoever_tells_of_it_how_often(bob: Actor, tap: Simulator):
    made = ask(bob, "50")
    page = open_page(made)
    assert str(page.fiat) == "50.00"
    assert open_page(made, "AED").deposit_id == page.deposit_id, "one at a time"

    press(page, "paid")
    asked(page)
    asked(page)
    cards.follow(page.deposit_id)

    whole = made.whole
    assert whole["invoice"]["status"] == "PAID"
    (payment,) = whole["payments"]
    assert (payment["method"], payment["amount"], payment["status"]) == (
        "CARD",
        "50.00",
        "CREDITED",
    )
    assert bob.available == deposit_of(page).credited
    assert [name for name, _ in events_of(bob.id)] == ["deposit.card.success", "invoice.paid"]
    lines = bob.get("/client/activity").get_json()["activity"]
    assert [(line["type"], line["method"]) for line in lines] == [("DEPOSIT", "CARD")], "told once"
    assert lines[0]["invoiceId"] == made.id
    with pytest.raises(Conflict):
        open_page(made)


def test_a_page_that_is_open_is_returned_though_its_provider_takes_nothing_new(
    bob: Actor, tap: Simulator
):
    made = ask(bob, "50")
    page = open_page(made)
    rails.pause("tap", reason="a look at the books", by="olga")
    assert open_page(made).deposit_id == page.deposit_id
    with pytest.raises(Unavailable):
        open_page(ask(bob, "50"))
    made.cancel()
    with pytest.raises(Conflict):
        open_page(made)


def test_a_payer_who_comes_back_is_not_asked_again(bob: Actor, tap: Simulator):
    """T15: until the provider has said how it ended, and whatever the payer did there."""
    made = ask(bob, "50")
    page = open_page(made)
    assert checkout.look(made.id).can_be_paid, "nobody has said that anything was paid"
    version = checkout.version(made.id)

    cards.came_back(made.id, page.deposit_id)

    shown = checkout.look(made.id)
    assert (shown.card_coming, shown.can_be_paid, shown.places) == (True, False, ())
    assert shown.version != version, "open pages look again"
    with pytest.raises(Conflict):
        open_page(made)
    settling.ask_about("tap", str(deposit_of(page).provider_ref))
    cards.follow(page.deposit_id)
    assert state_of(page) == "PROCESSING", "the provider does not know yet"
    press(page, "declined")
    asked(page)
    assert state_of(page) == "DECLINED"
    assert checkout.look(made.id).can_be_paid
    assert open_page(made).deposit_id != page.deposit_id


def test_coming_back_to_somebody_elses_page(bob: Actor, tap: Simulator):
    page = open_page(ask(bob, "50"))
    with pytest.raises(NotFound):
        cards.came_back(ask(bob, "50").id, page.deposit_id)
    assert state_of(page) == "OPEN"


def test_no_answer_is_asked_again_under_the_same_reference(bob: Actor, tap: Simulator):
    made = ask(bob, "50")
    tap.pull("faults", fault="reset", call="create")
    with pytest.raises(Unavailable) as refusal:
        open_page(made)
    assert refusal.value.code == "provider_unavailable"
    (first,) = db.session.scalars(select(InvoiceCard)).all()
    assert (first.state, first.page_url) == ("OPEN", None)
    assert open_page(made).deposit_id == first.deposit_id


def test_a_page_that_did_not_come_in_its_time_makes_room_for_another(bob: Actor, tap: Simulator):
    made = ask(bob, "50")
    tap.pull("faults", fault="reset", call="create")
    with pytest.raises(Unavailable):
        open_page(made)
    (first,) = db.session.scalars(select(InvoiceCard)).all()
    with transaction():
        deposit_of(first).created_at -= timedelta(minutes=31)
    with pytest.raises(Conflict):
        open_page(made)
    assert state_of(first) == "EXPIRED"
    assert open_page(made).deposit_id != first.deposit_id, "at the rate of now"


def test_money_that_moves_after_a_failure_pays(bob: Actor, tap: Simulator):
    made = ask(bob, "50")
    page = open_page(made)
    press(page, "declined")
    asked(page)
    reference = deposit_of(page).provider_ref
    tap.pull(f"payments/{reference}/outcome", outcome="paid")
    asked(page)
    assert (state_of(page), made.status) == ("PAID", "PAID")


def test_who_began_in_time_pays_in_time(bob: Actor, tap: Simulator):
    made = ask(bob, "50")
    page = open_page(made)
    press(page, "paid")
    with clock.frozen(clock.now() + DAY):
        receiving.expire(made.id)
        assert made.status == "EXPIRED"
        asked(page)
        assert (made.status, made.shown["late"]) == ("PAID", False)


def test_the_rest_by_card_after_a_part_on_chain(bob: Actor, tap: Simulator):
    made = ask(bob, "50")
    pay_on_chain(made.id, "20.005")
    page = open_page(made)
    assert str(page.fiat) == "30.00", "the least that buys 29.995"
    press(page, "paid")
    asked(page)
    assert (made.status, made.shown["overpaid"]) == ("PAID", False)


def test_what_the_provider_gives_back_is_given_back(bob: Actor, tap: Simulator):
    made = ask(bob, "50")
    page = open_page(made)
    press(page, "paid")
    asked(page)
    refused(made.refund(), 400, "wallet_address_required")
    for amount, status, so_far in (
        ("20", "PARTIALLY_REFUNDED", "20.00"),
        ("30", "REFUNDED", "50.00"),
    ):
        tap.pull(f"payments/{deposit_of(page).provider_ref}/refund", amount=amount)
        asked(page)
        assert (made.status, made.shown["amountRefunded"]) == (status, so_far)
    assert bob.available == Usdc.parse("0")
    assert [row["amount"] for row in made.whole["refunds"]] == ["20.00", "30.00"]


def test_a_provider_that_gives_back_what_its_owner_has_given_back_is_told_of(
    house: Flask, tap: Simulator
):
    """The owner sent it to a wallet, then the bank took it, too: it is of the invoice once."""
    made = ask(make_actor(house, "Shop", funded="60"), "50")
    page = open_page(made)
    press(page, "paid")
    asked(page)
    assert made.refund(amount="50", **WALLET).status_code == 200
    (refund,) = made.whole["refunds"]
    with transaction() as session:
        session.get_one(Payout, refund["payoutId"]).state = "COMPLETED"
    refunding.follow(refund["id"])
    tap.pull(f"payments/{deposit_of(page).provider_ref}/refund", amount="50")
    with capture_logs() as logs:
        asked(page)
    assert (made.status, made.shown["amountRefunded"]) == ("REFUNDED", "50.00")
    (told,) = [line for line in logs if line["event"] == "card_refund_beyond_invoice"]
    assert (told["log_level"], told["invoice_id"], told["beyond"]) == ("error", made.id, "50.00")


def test_what_an_operator_lets_through_pays_what_it_brought(bob: Actor, tap: Simulator):
    """Less was paid than was ordered: the invoice has what its owner has, and no more."""
    made = ask(bob, "50")
    page = open_page(made)
    press(page, "paid")
    tap.pull(f"payments/{deposit_of(page).provider_ref}/alter", amount="20.00")
    asked(page)
    assert (state_of(page), made.status) == ("REVIEW", "PENDING")

    review.let_through(page.deposit_id, "paid less, by agreement")
    cards.follow(page.deposit_id)

    assert bob.available == Usdc.parse("20")
    assert (made.status, made.shown["amountPaid"], made.shown["amountDue"]) == (
        "PENDING",
        "20.00",
        "30.00",
    )
    assert [row["amount"] for row in made.whole["payments"]] == ["20.00"]
    assert [str(price) for price in service.card_prices(service.find(made.id)).values()] == [
        "20.00"
    ]
    tap.pull(f"payments/{deposit_of(page).provider_ref}/refund", amount="20")
    asked(page)
    assert (made.status, made.shown["amountRefunded"]) == ("REFUNDED", "20.00")
    assert bob.available == Usdc.parse("0")


def test_one_that_is_looked_at_when_another_page_is_open_pays_once_it_is_let_through(
    bob: Actor, tap: Simulator
):
    made = ask(bob, "50")
    first = open_page(made)
    press(first, "declined")
    asked(first)
    second = open_page(made)
    reference = deposit_of(first).provider_ref
    tap.pull(f"payments/{reference}/outcome", outcome="paid")
    tap.pull(f"payments/{reference}/alter", amount="20.00")
    asked(first)
    assert (deposit_of(first).state, state_of(first), state_of(second)) == (
        *("REVIEW", "DECLINED", "OPEN"),
    )
    review.let_through(first.deposit_id, "paid less, by agreement")
    cards.follow(first.deposit_id)
    assert (state_of(first), made.shown["amountPaid"]) == ("PAID", "20.00")


def test_a_chargeback_while_the_owners_own_refund_is_on_its_way(house: Flask, tap: Simulator):
    made = ask(make_actor(house, "Shop", funded="60"), "50")
    page = open_page(made)
    press(page, "paid")
    asked(page)
    assert made.refund(amount="50", **WALLET).status_code == 200
    (refund,) = made.whole["refunds"]
    tap.pull(f"payments/{deposit_of(page).provider_ref}/refund", amount="50")
    asked(page)
    with transaction() as session:
        session.get_one(Payout, refund["payoutId"]).state = "COMPLETED"
    with capture_logs() as logs:
        refunding.follow(refund["id"])
    assert [row["status"] for row in made.whole["refunds"]] == ["COMPLETED", "COMPLETED"]
    assert (made.status, made.shown["amountRefunded"]) == ("REFUNDED", "50.00")
    (told,) = [line for line in logs if line["event"] == "refund_beyond_invoice"]
    assert (told["log_level"], told["refund_id"], told["beyond"]) == (
        *("error", refund["id"], "50.00"),
    )
    with nothing_changes():
        refused(made.refund(**WALLET), 409, "state_conflict")
