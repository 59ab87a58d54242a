"""What every card provider answers when asked: yes, no and neither."""

from typing import Any

import pytest

from protonpay.cards.port import (
    CardStatus,
    KeyRefused,
    Rejected,
)
from protonpay.kernel.fiat import FiatAmount
from protonpay.wire.http import NoAnswer
from tests.contract.card import EACH, Card, press

HASTE = {"create_seconds": 0.1, "read_seconds": 0.1}


@EACH
def test_an_accepted_order_whose_answer_was_lost_is_found_by_its_reference(card: Card):
    request = card.request()
    card.simulator.pull("faults", fault="accept_then_drop", call="create")
    with pytest.raises(NoAnswer):
        card.adapter.create_session(request)
    made = [p for p in card.simulator.look("payments") if p["reference"] == request.reference]
    assert len(made) == 1
    assert card.adapter.create_session(request).provider_ref == made[0]["id"]


UNKNOWN: list[dict[str, Any]] = [
    {"fault": "status", "status": 409},
    {"fault": "status", "status": 429},
    {"fault": "status", "status": 500},
    {"fault": "status", "status": 502},
    {"fault": "status", "status": 503},
    {"fault": "status", "status": 504},
    {"fault": "html"},
    {"fault": "reset"},
    {"fault": "truncate"},
    {"fault": "unreadable"},
    {"fault": "hang", "seconds": 0.5},
]


@EACH
@pytest.mark.parametrize("fault", UNKNOWN, ids=lambda fault: " ".join(map(str, fault.values())))
def test_what_is_not_answered_is_not_known(card: Card, fault: dict[str, Any]):
    request, session = card.open()
    hasty = card.made(**HASTE)
    card.simulator.pull("faults", **fault, call="create")
    with pytest.raises(NoAnswer):
        hasty.create_session(card.request())
    card.simulator.pull("faults", **fault, call="fetch")
    with pytest.raises(NoAnswer):
        hasty.fetch_payment(session.provider_ref)
    assert card.fetch(session).reference == request.reference


@EACH
def test_an_order_has_a_patience_of_its_own(card: Card):
    card.simulator.pull("faults", fault="slow", seconds=0.15, times=2)
    unequal = card.made(create_seconds=5, read_seconds=0.05)
    session = unequal.create_session(card.request())
    with pytest.raises(NoAnswer):
        unequal.fetch_payment(session.provider_ref)


@EACH
def test_a_status_that_lags_behind_catches_up(card: Card):
    _, session = card.open()
    press(session, "paid")
    card.simulator.pull("faults", fault="stale", call="fetch", times=2)
    statuses = [card.fetch(session).status for _ in range(3)]
    assert statuses == [CardStatus.PENDING, CardStatus.PENDING, CardStatus.CAPTURED]


@EACH
@pytest.mark.parametrize("status", [400, 402, 404])
def test_a_no_is_a_no(card: Card, status: int):
    _, session = card.open()
    card.simulator.pull("faults", fault="status", call="create", status=status)
    with pytest.raises(Rejected):
        card.adapter.create_session(card.request())
    card.simulator.pull("faults", fault="status", call="fetch", status=status)
    with pytest.raises(Rejected):
        card.fetch(session)


@EACH
def test_a_key_that_is_refused_says_so(card: Card):
    _, session = card.open()
    for call in (
        lambda: card.stranger().create_session(card.request()),
        lambda: card.stranger().fetch_payment(session.provider_ref),
    ):
        with pytest.raises(KeyRefused):
            call()


@EACH
def test_a_payment_that_was_never_made_is_refused(card: Card):
    with pytest.raises(Rejected):
        card.adapter.fetch_payment(card.played.unknown_ref)


@EACH
@pytest.mark.parametrize(
    "ref", ["", "../charges", "chg_1/../../x", "chg_1?x=1", "ch\ng", "я", "x" * 500]
)
def test_what_is_no_reference_never_reaches_the_provider(card: Card, ref: str):
    card.simulator.pull("faults", fault="status", status=599)
    with pytest.raises(Rejected):
        card.adapter.fetch_payment(ref)
    assert len(card.simulator.look("faults")) == 1


@EACH
def test_a_different_amount_currency_reference_or_mode_is_seen(card: Card):
    request, session = card.open()
    press(session, "paid")
    # Who takes one currency only might still say another.
    other = max(card.adapter.currencies - {request.amount.currency}, default="USD")
    said = {"amount": "1.10", "currency": other, "reference": "somebody-elses", "live": True}
    card.simulator.pull(f"payments/{session.provider_ref}/alter", **said)
    payment = card.fetch(session)
    assert payment.status is CardStatus.CAPTURED
    assert payment.amount == FiatAmount.parse("1.10", other)
    assert payment.amount.currency != request.amount.currency
    assert payment.reference == "somebody-elses"
    assert payment.live is True


@EACH
@pytest.mark.parametrize("amount", ["120.5001", "-1", "1e30"])
def test_an_amount_that_cannot_be_is_not_known(card: Card, amount: str):
    _, session = card.open()
    card.simulator.pull(f"payments/{session.provider_ref}/alter", amount=amount)
    with pytest.raises(NoAnswer):
        card.fetch(session)


@EACH
def test_a_word_we_do_not_know_is_unresolved(card: Card):
    _, session = card.open()
    card.simulator.pull(f"payments/{session.provider_ref}/alter", status="SOMETHING_NEW")
    assert card.fetch(session).status is CardStatus.UNRESOLVED


@EACH
def test_refunds_and_chargebacks_are_seen_as_they_add_up(card: Card):
    request, session = card.open()
    press(session, "paid")
    currency = request.amount.currency
    assert card.fetch(session).refunded == FiatAmount(0, currency)
    card.simulator.pull(f"payments/{session.provider_ref}/refund", amount="20.25")
    assert card.fetch(session).refunded == FiatAmount.parse("20.25", currency)
    card.simulator.pull(f"payments/{session.provider_ref}/chargeback", amount="100.25")
    payment = card.fetch(session)
    assert payment.refunded == request.amount
    assert payment.status is CardStatus.CAPTURED


@EACH
def test_a_refund_of_one_payment_is_not_seen_at_another(card: Card):
    _, session = card.open()
    press(session, "paid")
    request, other = card.open()
    press(other, "paid")
    card.simulator.pull(f"payments/{other.provider_ref}/refund")
    assert card.fetch(session).refunded.minor == 0
    assert card.fetch(other).refunded == request.amount


@EACH
@pytest.mark.parametrize(
    "reference", ["a\x00b", "a\nb", "\u202e\u200b", "x" * 10_000, "", "\ud800"], ids=ascii
)
def test_a_foreign_reference_is_plain_and_not_ours(card: Card, reference: str):
    request, session = card.open()
    press(session, "paid")
    card.simulator.pull(f"payments/{session.provider_ref}/alter", reference=reference)
    try:
        said = card.fetch(session).reference
    except NoAnswer:
        return  # no XML can hold it
    assert said != request.reference
    assert said.isprintable()
    assert len(said) <= 300
