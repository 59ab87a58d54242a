"""What every card provider does for us, over HTTP: pages, and how they end."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import requests

from protonpay.cards import registry
from protonpay.cards.port import CardPayment, CardStatus, Rejected, Seen
from protonpay.cards.registry import PROVIDERS
from protonpay.kernel import clock
from protonpay.kernel.fiat import EXPONENTS, FiatAmount
from tests.contract.card import EACH, Card, press
from tests.contract.card_simulators import PLAYED
from tests.simulators import PATIENCE

TAKEN = [(name, currency) for name in PROVIDERS for currency in sorted(registry.currencies(name))]


def test_every_provider_has_somebody_who_plays_it():
    assert set(PLAYED) == set(PROVIDERS)


@EACH
def test_a_session_is_a_page_that_shows_what_is_paid(card: Card):
    request, session = card.open()
    page = requests.get(session.url, timeout=PATIENCE)
    assert page.status_code == 200
    assert "120.50" in page.text
    assert request.amount.currency in page.text
    assert "SIMULATOR" in page.text
    assert "<script" not in page.text


@EACH
def test_the_same_reference_gives_the_same_session(card: Card):
    request, session = card.open()
    assert card.adapter.create_session(request) == session
    assert card.adapter.create_session(card.request()) != session


@EACH
def test_the_same_reference_at_the_same_time_gives_one_session(card: Card):
    request = card.request()
    with ThreadPoolExecutor(8) as pool:
        sessions = set(pool.map(card.adapter.create_session, [request] * 10))
    assert len(sessions) == 1


@EACH
def test_a_paid_session_asked_for_again_is_still_the_same_payment(card: Card):
    request, session = card.open()
    press(session, "paid")
    assert card.adapter.create_session(request).provider_ref == session.provider_ref
    assert card.fetch(session).status is CardStatus.CAPTURED


@pytest.mark.parametrize(("running_simulator", "currency"), TAKEN, indirect=["running_simulator"])
@pytest.mark.parametrize("whole", ["1", "100", "99999"])
def test_every_minor_unit_arrives_and_comes_back(card: Card, currency: str, whole: str):
    for fraction in ("000", "010", "100", "125", "999"):
        amount = f"{whole}.{fraction[: EXPONENTS[currency]]}"
        request = card.request(amount, currency)
        session = card.adapter.create_session(request)
        assert card.fetch(session).amount == FiatAmount.parse(amount, currency)
        assert amount in requests.get(session.url, timeout=PATIENCE).text


@EACH
def test_names_and_texts_of_any_kind_are_taken(card: Card):
    request = replace(
        card.request(),
        customer_name="Жанна d'Arc <script>alert(1)</script> " + "x" * 300,
        description='"><img src=x onerror=alert(1)> & ünï',
    )
    session = card.adapter.create_session(request)
    page = requests.get(session.url, timeout=PATIENCE).text
    assert "<img" not in page
    assert card.fetch(session).reference == request.reference


@EACH
def test_an_open_page_is_pending(card: Card):
    request, session = card.open()
    assert card.fetch(session) == CardPayment(
        provider_ref=session.provider_ref,
        reference=request.reference,
        status=CardStatus.PENDING,
        amount=request.amount,
        live=False,
        refunded=FiatAmount(0, request.amount.currency),
        reason=None,
    )


@EACH
def test_a_paid_page_is_captured(card: Card):
    request, session = card.open()
    answer = press(session, "paid")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(request.return_url)
    payment = card.fetch(session)
    assert (payment.status, payment.reason) == (CardStatus.CAPTURED, None)
    assert (payment.reference, payment.amount) == (request.reference, request.amount)


@EACH
@pytest.mark.parametrize(
    ("outcome", "status"),
    [("declined", CardStatus.FAILED), ("cancelled", CardStatus.CANCELED)],
)
def test_a_page_left_without_paying_says_how_and_why(card: Card, outcome: str, status: CardStatus):
    _, session = card.open()
    assert press(session, outcome).status_code == 303
    payment = card.fetch(session)
    assert payment.status is status
    assert payment.reason


@EACH
def test_a_page_that_nobody_used_expires(card: Card):
    _, session = card.open()
    card.simulator.pull("clock", advance_seconds=8 * 24 * 3600)
    payment = card.fetch(session)
    assert payment.status is CardStatus.EXPIRED
    assert payment.reason
    press(session, "paid")
    assert card.fetch(session).status is CardStatus.EXPIRED


@EACH
def test_money_that_arrives_after_the_page_expired_is_seen(card: Card):
    request, session = card.open(delay_ms=0)
    card.simulator.pull("clock", advance_seconds=8 * 24 * 3600)
    assert card.fetch(session).status is CardStatus.EXPIRED
    told = len(card.sent(session))
    assert told <= 1, "some tell of a page that nobody used"
    card.simulator.pull(f"payments/{session.provider_ref}/outcome", outcome="paid")
    assert card.fetch(session).status is CardStatus.CAPTURED
    callbacks = [card.adapter.read_callback(one) for one in card.callbacks(request, told + 1)]
    assert {callback.provider_ref for callback in callbacks} == {session.provider_ref}
    assert len({callback.event_id for callback in callbacks}) == told + 1


@EACH
def test_a_second_press_pays_nothing_more(card: Card):
    request, session = card.open(delay_ms=0)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(press, [session] * 4, ["paid", "paid", "declined", "paid"]))
    assert {answer.status_code for answer in answers} == {303}
    press(session, "cancelled")
    card.callbacks(request)
    assert len(card.sent(session)) == 1
    before = card.fetch(session)
    press(session, "paid")
    assert card.fetch(session) == before


@EACH
def test_what_was_paid_is_listed_page_by_page_and_nothing_else(card: Card, monkeypatch):
    for module in ("tap", "yookassa"):
        monkeypatch.setattr(f"protonpay.cards.{module}._MOST_LISTED", 2)
    began, (_, opened) = clock.now() - timedelta(hours=1), card.open()
    paid = [card.open() for _ in range(3)]
    for _, session in paid:
        press(session, "paid")

    found: dict[str, Seen] = {}
    listed = card.adapter.paid_since(began, None)
    if listed is None:
        assert card.name == "freedompay", "it alone has no such list"
        return
    while True:
        assert len(listed.payments) <= 2
        found |= {seen.provider_ref: seen for seen in listed.payments}
        if listed.after is None:
            break
        listed = card.adapter.paid_since(began, listed.after)
        assert listed is not None

    for request, session in paid:
        seen = found[session.provider_ref]
        assert (seen.reference, seen.amount) == (request.reference, request.amount)
    assert opened.provider_ref not in found
    with pytest.raises(Rejected):
        card.stranger().paid_since(began, None)
