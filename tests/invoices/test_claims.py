"""What a payer asks back, and what its owner makes of it."""

from datetime import timedelta
from typing import Any

import pytest

from protonpay.invoices import claims, receiving, refunding
from protonpay.invoices.models import InvoiceClaim
from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict, Invalid, NotFound
from protonpay.payouts.models import Payout
from protonpay.store.db import db, transaction
from protonpay.wallets import service as wallets
from tests.actors import Actor, make_actor
from tests.conftest import PASSPHRASE
from tests.events import events_of
from tests.invoices.asking import Asked, arrive, ask, pay_on_chain
from tests.refusals import refused
from tests.unchanged import nothing_changes
from tests.wallets import pools

WALLET = {"wallet_address": "0x52908400098527886E0F7030069857D2E4169EE7", "network": "Base"}
DAY = timedelta(days=1, seconds=1)
"""An invoice's day, and the second of its end."""


@pytest.fixture
def shop(house: Any) -> Actor:
    """A seller with something to pay a fee from."""
    return make_actor(house, "Shop", funded="10")


def over(shop: Actor) -> Asked:
    made = ask(shop, "50")
    pay_on_chain(made.id, "65")
    return made


def asked_back(made: Asked) -> InvoiceClaim:
    return claims.ask_back(made.id, **WALLET)


def approve(made: Asked, claim: InvoiceClaim) -> Any:
    return made.refund(claimId=claim.id)


def test_what_is_too_much_is_asked_back_approved_and_lands(shop: Actor):
    """T03: 130 % was paid; the seller keeps what they asked for."""
    made = over(shop)

    claim = asked_back(made)

    assert str(claim.amount_micro) == "15.00"
    (shown,) = made.whole["claims"]
    assert shown == {
        "id": claim.id,
        "amount": "15.00",
        "walletAddress": WALLET["wallet_address"],
        "network": "Base",
        "status": "OPEN",
        "refundId": None,
        "createdAt": shown["createdAt"],
        "endedAt": None,
    }
    name, told = events_of(shop.id)[-1]
    assert name == "invoice.refund_claimed"
    assert (told["claimId"], told["claimAmount"]) == (claim.id, "15.00")

    body = approve(made, claim).get_json()

    refund = body["refund"]
    assert (refund["amount"], refund["status"]) == ("15.00", "PENDING")
    payout = db.session.get_one(Payout, refund["payoutId"])
    assert (payout.wallet_address, payout.network) == (WALLET["wallet_address"], "Base")
    (shown,) = made.whole["claims"]
    assert (shown["status"], shown["refundId"]) == ("APPROVED", refund["id"])
    with transaction():
        payout.state = "COMPLETED"
    refunding.follow(refund["id"])
    assert (made.status, made.shown["amountRefunded"]) == ("PARTIALLY_REFUNDED", "15.00")


def _late(made: Asked) -> None:
    with clock.frozen(clock.now() + 2 * DAY):
        receiving.expire(made.id)
        pay_on_chain(made.id, "50")


def _part(made: Asked) -> None:
    pay_on_chain(made.id, "20")


def _expired_part(made: Asked) -> None:
    _part(made)
    with clock.frozen(clock.now() + 2 * DAY):
        receiving.expire(made.id)


def _cancelled_part(made: Asked) -> None:
    _part(made)
    assert made.cancel().status_code == 200


@pytest.mark.parametrize(
    ("happens", "amount", "ends"),
    [
        (_late, "50.00", "EXPIRED"),
        (_part, "20.00", "CANCELLED"),
        (_expired_part, "20.00", "EXPIRED"),
        (_cancelled_part, "20.00", "CANCELLED"),
    ],
)
def test_what_has_paid_nothing_is_asked_back_whole(
    shop: Actor, happens: Any, amount: str, ends: str
):
    """T06. An open invoice is cancelled by giving back what it has."""
    made = ask(shop, "50")
    happens(made)
    claim = asked_back(made)
    assert str(claim.amount_micro) == amount
    assert approve(made, claim).status_code == 200
    assert made.status == ends


def _nothing(_made: Asked) -> None:
    """Leave it unpaid."""


def _exactly(made: Asked) -> None:
    pay_on_chain(made.id, "50")


def _coming(made: Asked) -> None:
    _part(made)
    receiving.follow(arrive(made.id, "30"))


@pytest.mark.parametrize("happens", [_nothing, _exactly, _coming])
def test_what_is_the_sellers_is_not_asked_back(shop: Actor, happens: Any):
    made = ask(shop, "50")
    happens(made)
    with nothing_changes(), pytest.raises(Conflict, match="nothing that can be asked back"):
        asked_back(made)


def test_what_came_from_a_balance_goes_back_to_no_wallet(shop: Actor, alice: Actor):
    made = ask(shop, "50")
    pay_on_chain(made.id, "20")
    made.paid_by(alice)
    pay_on_chain(made.id, "7")
    assert str(asked_back(made).amount_micro) == "7.00", "what is too much, and came on chain"


def test_a_claim_is_one_at_a_time_and_of_its_invoice(shop: Actor, bob: Actor):
    made, other = over(shop), over(shop)
    claim = asked_back(made)
    with nothing_changes():
        with pytest.raises(Conflict, match="asked back already"):
            asked_back(made)
        refused(approve(other, claim), 400, "unknown_claim")
        refused(
            bob.post(f"/client/invoices/{made.id}/refund", {"claimId": claim.id}), 404, "not_found"
        )
        refused(made.refund(claimId=claim.id, amount="1"), 400, "validation_error")
    with pytest.raises(NotFound):
        claims.ask_back(f"c{'a' * 24}", **WALLET)


def test_a_declined_claim_moves_nothing_and_may_be_made_again(shop: Actor):
    made = over(shop)
    claim, before = asked_back(made), shop.available

    def decline() -> Any:
        return shop.post(f"/client/invoices/{made.id}/decline", {"claimId": claim.id})

    assert decline().status_code == 200
    assert (made.whole["claims"][0]["status"], shop.available) == ("DECLINED", before)
    with nothing_changes():
        refused(decline(), 409, "state_conflict")
        refused(approve(made, claim), 409, "state_conflict")
    assert asked_back(made).id != claim.id


def test_a_claim_never_gets_more_than_is_left(shop: Actor):
    """Asked when a part had come; then the rest came, and the invoice is paid."""
    made = ask(shop, "50")
    _part(made)
    claim = asked_back(made)
    pay_on_chain(made.id, "30")
    assert made.status == "PAID"
    with nothing_changes():
        refused(approve(made, claim), 409, "state_conflict")


def test_what_did_not_arrive_may_be_asked_back_to_another_wallet(shop: Actor):
    made = over(shop)
    refund = approve(made, asked_back(made)).get_json()["refund"]
    with pytest.raises(Conflict):
        asked_back(made)
    with transaction() as session:
        session.get_one(Payout, refund["payoutId"]).state = "FAILED"
    refunding.follow(refund["id"])
    assert str(asked_back(made).amount_micro) == "15.00"


@pytest.mark.parametrize(
    ("address", "code"), [("0x123", "invalid_address"), ("nowhere", "invalid_address")]
)
def test_an_address_that_no_payout_goes_to_is_refused_at_once(shop: Actor, address: str, code: str):
    made = over(shop)
    with nothing_changes(), pytest.raises(Invalid) as told:
        claims.ask_back(made.id, wallet_address=address, network="Base")
    assert told.value.code == code


def test_the_address_that_was_paid_is_not_where_it_goes_back(house: Any, keyring_path: Any):
    pools.fill(keyring_path, PASSPHRASE, 5)
    made = over(make_actor(house, "Shop"))
    own = wallets.addresses_of("invoice", made.id)["Base"]
    with nothing_changes(), pytest.raises(Invalid) as told:
        claims.ask_back(made.id, wallet_address=own, network="Base")
    assert told.value.code == "own_invoice_address"


@pytest.mark.parametrize("late", [False, True])
def test_too_little_or_too_late_is_accepted_as_paid(shop: Actor, *, late: bool):
    made = ask(shop, "50")
    if late:
        _late(made)
    else:
        _part(made)
    answer = shop.post(f"/client/invoices/{made.id}/accept")
    assert answer.status_code == 200
    shown = answer.get_json()["invoice"]
    assert (shown["status"], shown["underpaidWithinTolerance"]) == ("PAID", not late)
    assert shown["paidAt"] is not None
    assert [name for name, _ in events_of(shop.id)].count("invoice.paid") == 1
    with nothing_changes():
        refused(shop.post(f"/client/invoices/{made.id}/accept"), 409, "state_conflict")


@pytest.mark.parametrize("happens", [_nothing, _coming, _exactly, _cancelled_part])
def test_what_cannot_be_accepted_is_not(shop: Actor, bob: Actor, happens: Any):
    made = ask(shop, "50")
    happens(made)
    with nothing_changes():
        refused(shop.post(f"/client/invoices/{made.id}/accept"), 409, "state_conflict")
        refused(bob.post(f"/client/invoices/{made.id}/accept"), 404, "not_found")
