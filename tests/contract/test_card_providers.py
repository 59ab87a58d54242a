"""What every card provider does for us, over HTTP against its simulator."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pytest
import requests

from protonpay.cards import registry
from protonpay.cards.port import (
    CallbackRequest,
    CardPayment,
    CardProvider,
    CardSession,
    CardStatus,
    Forged,
    KeyRefused,
    Rejected,
    SessionRequest,
)
from protonpay.cards.registry import PROVIDERS
from protonpay.kernel import ids
from protonpay.kernel.fiat import EXPONENTS, FiatAmount
from protonpay.wire.http import NoAnswer
from tests.contract.card_simulators import PLAYED, Played
from tests.simulators import PATIENCE, Receiver, Simulator, running, until

TAKEN = [(name, currency) for name in PROVIDERS for currency in sorted(registry.currencies(name))]
EACH = pytest.mark.parametrize("running_simulator", PROVIDERS, indirect=True)
SIGNED = pytest.mark.parametrize(
    "running_simulator", [name for name in PROVIDERS if PLAYED[name].signed], indirect=True
)
HASTE = {"create_seconds": 0.1, "read_seconds": 0.1}


@dataclass
class Card:
    """A provider under test: both sides of the wire, and our front door."""

    name: str
    played: Played
    simulator: Simulator
    receiver: Receiver

    @cached_property
    def adapter(self) -> CardProvider:
        return self.made()

    def made(self, **patience: float) -> CardProvider:
        settings = self.played.settings(self.simulator.url)
        return self.played.adapter(self.name, settings, **patience)

    def stranger(self) -> CardProvider:
        return self.played.adapter(self.name, self.played.strangers(self.simulator.url))

    def request(self, text: str | None = None, currency: str | None = None) -> SessionRequest:
        reference = ids.new_id()
        currency = currency or min(self.adapter.currencies)
        callback_url = f"{self.receiver.url}/callbacks/{reference}"
        if self.played.in_its_pages:
            self.simulator.pull("notifications", url=callback_url)
        return SessionRequest(
            reference=reference,
            amount=FiatAmount.parse(text or "120.50", currency),
            description=f"Proton Pay deposit {reference}",
            customer_name="Ann Example",
            customer_email="ann@example.com",
            return_url=f"http://127.0.0.1:1/deposits/{reference}?lang=en",
            callback_url=callback_url,
        )

    def open(self, **script: Any) -> tuple[SessionRequest, CardSession]:
        if script:
            self.simulator.pull("script", **script)
        request = self.request()
        return request, self.adapter.create_session(request)

    def callbacks(self, request: SessionRequest, count: int = 1) -> list[CallbackRequest]:
        arrived = self.receiver.wait_for(count, f"/callbacks/{request.reference}")
        return [self.played.arriving(callback) for callback in arrived]

    def sent(self, session: CardSession) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.simulator.look("callbacks", payment=session.provider_ref)
        return found

    def fetch(self, session: CardSession) -> CardPayment:
        return self.adapter.fetch_payment(session.provider_ref)


def press(session: CardSession, outcome: str) -> requests.Response:
    form = {"outcome": outcome}
    return requests.post(session.url, data=form, allow_redirects=False, timeout=PATIENCE)


@pytest.fixture(scope="module")
def running_simulator(request: pytest.FixtureRequest) -> Iterator[tuple[str, Simulator]]:
    played = PLAYED[request.param]
    with running(played.module, *played.options) as simulator:
        yield request.param, simulator


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def card(running_simulator: tuple[str, Simulator], receiver: Receiver) -> Iterator[Card]:
    name, simulator = running_simulator
    yield Card(name, PLAYED[name], simulator, receiver)
    simulator.forget_faults()


def test_every_provider_has_somebody_who_plays_it():
    assert set(PLAYED) == set(PROVIDERS)


# Sessions


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


# The ends of a payment


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


# Callbacks


@EACH
def test_a_callback_names_its_payment(card: Card):
    request, session = card.open(delay_ms=0)
    press(session, "paid")
    (callback,) = card.callbacks(request)
    assert card.adapter.read_callback(callback).provider_ref == session.provider_ref


@EACH
def test_the_callback_comes_before_the_browser_when_it_wants_to(card: Card):
    request, session = card.open(before_redirect=True)
    press(session, "paid")
    assert len(card.receiver.at(f"/callbacks/{request.reference}")) == 1


@EACH
def test_repeats_of_a_message_are_one_event_and_other_messages_are_others(card: Card):
    first, session = card.open(copies=3, at_once=True, delay_ms=0)
    press(session, "paid")
    events = {
        card.adapter.read_callback(callback).event_id for callback in card.callbacks(first, 3)
    }
    assert len(events) == 1
    second, other = card.open(delay_ms=0)
    press(other, "paid")
    (callback,) = card.callbacks(second)
    assert card.adapter.read_callback(callback).event_id not in events


@EACH
def test_a_refused_callback_is_sent_again_and_is_the_same_event(card: Card):
    request, session = card.open(delay_ms=0)
    card.receiver.refuse(f"/callbacks/{request.reference}", 500)
    press(session, "paid")
    card.callbacks(request)
    until(lambda: card.sent(session)[0]["attempts"])
    card.simulator.pull("clock", advance_seconds=3600)
    events = {
        card.adapter.read_callback(callback).event_id for callback in card.callbacks(request, 2)
    }
    assert len(events) == 1


@EACH
def test_messages_out_of_order_are_different_events_and_the_provider_tells_the_truth(card: Card):
    first_said = _word_for(card, "declined")
    request, session = card.open(before=[first_said], delay_ms=0)
    press(session, "paid")
    callbacks = card.callbacks(request, 2)
    assert len({card.adapter.read_callback(callback).event_id for callback in callbacks}) == 2
    assert card.fetch(session).status is CardStatus.CAPTURED


@EACH
def test_callbacks_that_never_come_leave_the_truth_to_be_asked_for(card: Card):
    _, session = card.open(drop=True)
    press(session, "paid")
    assert card.fetch(session).status is CardStatus.CAPTURED
    assert card.sent(session) == []


@SIGNED
@pytest.mark.parametrize("signature", ["wrong", "absent"])
def test_a_callback_without_the_right_signature_is_forged(card: Card, signature: str):
    request, session = card.open(signature=signature, delay_ms=0)
    press(session, "paid")
    (callback,) = card.callbacks(request)
    with pytest.raises(Forged):
        card.adapter.read_callback(callback)


@SIGNED
def test_a_callback_changed_on_its_way_is_forged(card: Card):
    request, session = card.open(delay_ms=0)
    press(session, "declined")
    (callback,) = card.callbacks(request)
    card.adapter.read_callback(callback)
    for said, wanted in (("declined", "paid"), ("120.5", "120.6"), (session.provider_ref, "x")):
        before = _word_for(card, said) if said == "declined" else said
        after = _word_for(card, wanted) if wanted == "paid" else wanted
        body = callback.body.replace(before.encode(), after.encode())
        assert body != callback.body
        with pytest.raises(Forged):
            card.adapter.read_callback(replace(callback, body=body))


@SIGNED
def test_a_callback_of_another_merchant_is_forged(card: Card):
    request, session = card.open(delay_ms=0)
    press(session, "paid")
    (callback,) = card.callbacks(request)
    with pytest.raises(Forged):
        card.stranger().read_callback(callback)


NONSENSE = [
    b"",
    b"null",
    b"[]",
    b"7",
    b'"text"',
    b"{}",
    b"\x00\xff\xfe",
    b"a=b&c=d",
    b"<response/>",
    b"{" * 100_000,
    b"[" * 1_000_000,
    b'{"id": "' + b"x" * 1_000_000 + b'"}',
    b'{"id": null, "amount": null, "object": null}',
    b'{"id": ["chg_1"], "object": [[]], "event": {}}',
    b'{"id": "chg_1", "amount": NaN, "currency": "KWD"}',
    b'{"id": "chg_1", "amount": 1E+999999999, "currency": "KWD"}',
    b'{"id": "chg_1", "amount": true, "currency": ["KWD"]}',
    b'{"id": "chg_1", "status": "\\ud800", "amount": 1, "currency": "KWD"}',
]


@EACH
@pytest.mark.parametrize("body", NONSENSE, ids=lambda body: repr(body[:30]))
@pytest.mark.parametrize("header", ["", "0" * 64, "ключ", "\ud800", "a" * 100_000])
def test_nonsense_is_forged_and_nothing_else(card: Card, body: bytes, header: str):
    headers = dict.fromkeys(("hashstring", "content-type", "signature"), header)
    callback = CallbackRequest(headers, body, "203.0.113.7", "/callbacks/x")
    with pytest.raises(Forged):
        card.adapter.read_callback(callback)


# What is not known


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


# What is refused


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


# What must be noticed before anything is credited


@EACH
def test_a_different_amount_currency_reference_or_mode_is_seen(card: Card):
    request, session = card.open()
    press(session, "paid")
    other = max(card.adapter.currencies)
    said = {"amount": "1.10", "currency": other, "reference": "somebody-elses", "live": True}
    card.simulator.pull(f"payments/{session.provider_ref}/alter", **said)
    payment = card.fetch(session)
    assert payment.status is CardStatus.CAPTURED
    assert payment.amount == FiatAmount.parse("1.10", other) != request.amount
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


def _word_for(card: Card, outcome: str) -> str:
    """Return the provider's own word for an outcome, as its callbacks say it."""
    words: dict[str, str] = card.simulator.look("words")
    return words[outcome]
