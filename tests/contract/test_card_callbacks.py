"""What every card provider tells us, and what of it we take."""

from dataclasses import replace

import pytest

from protonpay.cards.port import (
    CallbackRequest,
    CardStatus,
    Forged,
)
from protonpay.cards.registry import PROVIDERS
from tests.contract.card import EACH, NONSENSE, SIGNED, UNSIGNED, Card, press, word_for
from tests.contract.card_simulators import PLAYED
from tests.patience import until


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
    first_said = word_for(card, "declined")
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
        before = word_for(card, said) if said == "declined" else said
        after = word_for(card, wanted) if wanted == "paid" else wanted
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


@UNSIGNED
@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "203.0.113.7", "198.51.101.7", "::1", "::ffff:203.0.113.7", "", "198.51.100"],
)
def test_an_unsigned_callback_from_elsewhere_is_forged(card: Card, address: str):
    request, session = card.open(delay_ms=0)
    press(session, "paid")
    (callback,) = card.callbacks(request)
    assert card.adapter.read_callback(callback).provider_ref == session.provider_ref
    with pytest.raises(Forged):
        card.adapter.read_callback(replace(callback, remote_addr=address))


def test_every_provider_has_a_rule_for_who_may_call():
    signed = {name for name, by in PLAYED.items() if by.signed}
    assert {name for name, by in PLAYED.items() if not by.signed} == set(PROVIDERS) - signed
    assert all(by.signed or by.callback_address != "127.0.0.1" for by in PLAYED.values())


@EACH
@pytest.mark.parametrize("body", NONSENSE, ids=lambda body: repr(body[:30]))
@pytest.mark.parametrize("header", ["", "0" * 64, "ключ", "\ud800", "a" * 100_000])
def test_nonsense_is_forged_and_nothing_else(card: Card, body: bytes, header: str):
    headers = dict.fromkeys(("hashstring", "content-type", "signature"), header)
    callback = CallbackRequest(headers, body, "203.0.113.7", "/callbacks/x")
    with pytest.raises(Forged):
        card.adapter.read_callback(callback)
