"""Pages that letters lead to: looked at by scanners, used by people."""

import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from protonpay.auth import recovery
from protonpay.kernel import clock
from tests.actors import PASSWORD, Actor
from tests.mail import letters
from tests.refusals import refused
from tests.unchanged import nothing_changes

NEW = "correct horse battery"


def sent(client: FlaskClient, shown: TestResponse, **typed: str) -> TestResponse:
    """Send the form of a page, as a browser does."""
    (token,) = re.findall(r'name="token" value="([^"]+)"', shown.text)
    return client.post(shown.request.path, data={"token": token, **typed})


def opened(actor: Actor, **headers: str) -> TestResponse:
    letter = letters.waiting(actor.email)[-1]
    where = f"{letters.page_of(letter)}?token={letters.token_of(letter)}"
    with nothing_changes():
        answer = actor.client.get(where, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    return answer


def test_opening_the_link_proves_nothing_and_sending_the_form_does(alice: Actor):
    shown = opened(alice)
    assert "Confirm your e-mail address" in shown.text

    answer = sent(alice.client, shown)

    assert "The address is confirmed" in answer.text
    assert alice.get("/client/dashboard").get_json()["setupSteps"]["emailVerified"]
    again = sent(alice.client, shown)
    assert again.status_code == 400
    assert "This link was used or replaced" in again.text
    assert "<form" not in again.text


def test_a_password_is_chosen_on_a_page(alice: Actor):
    recovery.write_reset(alice.email, clock.now())
    shown = opened(alice, **{"Accept-Language": "ru"})
    assert "Выберите новый пароль" in shown.text

    weak = sent(alice.client, shown, password="short")
    assert weak.status_code == 400
    assert 'role="alert"' in weak.text
    nul = sent(alice.client, shown, password=f"{NEW}\0")
    assert nul.status_code == 400
    assert "The password is set" in sent(alice.client, weak, password=NEW).text

    who = {"email": alice.email, "password": PASSWORD}
    refused(alice.client.post("/api/auth/login", json=who), 401, "invalid_credentials")
    good = alice.client.post("/api/auth/login", json=who | {"password": NEW})
    assert good.status_code == 200


def test_an_account_is_stopped_on_a_page(alice: Actor):
    recovery.write_reset(alice.email, clock.now())
    sent(alice.client, opened(alice), password=NEW)  # the letter about it says how to stop

    shown = opened(alice)
    assert "Stop the account?" in shown.text
    assert "The account is stopped" in sent(alice.client, shown).text


@pytest.mark.parametrize("name", ["verify-email", "reset-password", "freeze", "keep-second-factor"])
@pytest.mark.parametrize("token", ["", "x" * 5000, "<script>", "%00"])
def test_what_is_no_token_is_said_on_the_page(alice: Actor, name: str, token: str):
    with nothing_changes():
        shown = alice.client.get(f"/{name}?token={token}")
        answer = alice.client.post(f"/{name}", data={"token": token, "password": NEW})
    assert (shown.status_code, answer.status_code) == (200, 400)
    assert "<script" not in shown.text + answer.text


def test_guesses_are_counted_by_address(alice: Actor, rates):
    rates(auth="2 per minute")
    for _ in range(2):
        assert alice.client.post("/verify-email", data={"token": "x"}).status_code == 400
    with nothing_changes():
        assert alice.client.post("/verify-email", data={"token": "x"}).status_code == 429
