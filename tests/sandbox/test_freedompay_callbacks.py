"""FreedomPay's simulator and our answers: what it posts, and how long it insists."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.patience import until
from tests.sandbox.freedompay_client import (
    MODULE,
    NASTY,
    OPTIONS,
    accepted,
    answer_to,
    created,
    press,
    sig,
    status,
)
from tests.simulators import Receiver, Simulator, running

HALF_HOUR = 1800


@pytest.fixture(scope="module")
def shop() -> Iterator[Simulator]:
    with running(MODULE, *OPTIONS) as simulator:
        yield simulator


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    receiver.answer = accepted
    yield receiver
    receiver.close()


@pytest.mark.parametrize("value", NASTY)
def test_a_callback_with_unusual_characters_carries_its_signature(shop, receiver, value):
    shop.pull("script", delay_ms=0)
    url = f"{receiver.url}/callbacks/freedompay"
    press(created(shop, pg_description=value, pg_result_url=url))
    (callback,) = receiver.wait_for(1, "/callbacks/freedompay")
    fields = dict(parse_qsl(callback.body.decode(), keep_blank_values=True))
    assert fields["pg_description"] == value
    assert fields["pg_user_contact_email"] == ""
    assert fields["pg_sig"] == sig("freedompay", list(fields.items()))


def attempts(shop: Simulator, payment: dict[str, str]) -> list[Any]:
    (sent,) = shop.look("callbacks", payment=payment["pg_payment_id"])
    found: list[Any] = sent["attempts"]
    return found


def paid(shop: Simulator, receiver: Receiver, path: str = "/result") -> dict[str, str]:
    shop.pull("script", delay_ms=0)
    payment = created(shop, pg_result_url=f"{receiver.url}{path}")
    press(payment)
    until(lambda: attempts(shop, payment))
    return payment


def test_the_right_answer_is_enough(shop, receiver):
    payment = paid(shop, receiver)
    assert [attempt["complaint"] for attempt in attempts(shop, payment)] == [""]
    shop.pull("clock", advance_seconds=9 * HALF_HOUR)
    assert len(attempts(shop, payment)) == 1


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (lambda _: b"", "no status"),
        (lambda _: b"ok", "no status"),
        (lambda _: b"<html>ok</html>", "no status"),
        (lambda callback: answer_to(callback, pg_status="yes"), "no status"),
        (lambda callback: answer_to(callback, pg_salt="mine"), "not the salt"),
        (lambda callback: answer_to(callback, pg_sig="0" * 32), "a wrong signature"),
        (lambda callback: answer_to(callback)[:-12], "no status"),
        (lambda callback: answer_to(callback).replace(b"Acc", b"Exc"), "a wrong signature"),
    ],
)
def test_a_wrong_answer_is_complained_of_and_asked_for_again(shop, receiver, answer, complaint):
    receiver.answer = answer
    payment = paid(shop, receiver)
    assert complaint in attempts(shop, payment)[0]["complaint"]
    receiver.answer = accepted
    shop.pull("clock", advance_seconds=HALF_HOUR)
    until(lambda: len(attempts(shop, payment)) == 2)
    first, second = receiver.at("/result")
    assert first.body == second.body, "a repeat is the same message"
    assert attempts(shop, payment)[1]["complaint"] == ""


@pytest.mark.parametrize("path", ["/result", "/callbacks/freedompay", "/result?a=b", "/result/"])
def test_our_answer_is_signed_with_the_last_word_of_our_address(shop, receiver, path):
    payment = paid(shop, receiver, path)
    assert attempts(shop, payment)[0]["complaint"] == ""


def test_no_answer_is_asked_for_every_half_hour_for_two_hours(shop, receiver):
    receiver.close()
    payment = paid(shop, receiver)
    for attempt in range(2, 6):
        shop.pull("clock", advance_seconds=HALF_HOUR)
        until(lambda n=attempt: len(attempts(shop, payment)) == n)
    assert {attempt["complaint"] for attempt in attempts(shop, payment)} == {"no answer"}
    shop.pull("clock", advance_seconds=99 * HALF_HOUR)
    (sent,) = shop.look("callbacks", payment=payment["pg_payment_id"])
    assert (sent["result"], len(sent["attempts"])) == ("ERROR", 5)
    assert status(shop, payment)["pg_payment_status"] == "success", "paid is paid"


@pytest.mark.parametrize("refusal", [201, 302, 400, 500])
def test_another_status_than_200_is_no_answer(shop, receiver, refusal):
    receiver.refuse("/result", refusal)
    payment = paid(shop, receiver)
    assert attempts(shop, payment)[0]["complaint"] == "not 200"
    shop.pull("clock", advance_seconds=HALF_HOUR)
    until(lambda: len(attempts(shop, payment)) == 2)


def test_the_browser_goes_back_with_the_order_and_the_payment(shop):
    payment = created(shop, pg_order_id="back")
    query = f"pg_order_id=back&pg_payment_id={payment['pg_payment_id']}"
    assert press(payment).headers["Location"] == f"http://127.0.0.1:1/back?lang=en&{query}"
    declined = created(shop, pg_order_id="back-failed")
    location = press(declined, "declined").headers["Location"]
    assert location.startswith("http://127.0.0.1:1/failed?pg_order_id=back-failed")
