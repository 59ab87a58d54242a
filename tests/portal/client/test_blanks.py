"""A field that was left blank is worded for who fills it in, by every form."""

import re

import pytest
from flask import Flask

from protonpay.portal.client import blanks
from tests.actors import Actor
from tests.payouts.orders import WALLETS
from tests.portal.client.reader import Reader, sign_in
from tests.unchanged import nothing_changes

PAGES = (
    "/app/addresses",
    "/app/fees",
    "/app/keys",
    "/app/webhooks",
    "/app/invoices/new",
    "/app/team",
    "/app/identity",
    "/app/security",
)
STEPS = ("/app/withdraw", f"/app/withdraw/amount?network=Base&walletAddress={WALLETS['Base']}")
AT_THE_DOOR = ("/login", "/register", "/forgot")
NOT_LACKING = {"/app/addresses/policy"}
"""Forms whose fields may all be empty."""
BESIDE = re.compile(r'<p id="([^"]+)-said" class="said bad">([^<]*)<')
PROGRAMMERS = re.compile("data for|minimum|must be|missing|null|длин|обязательн", re.IGNORECASE)


def left_blank(reader: Reader, page: str, language: str) -> dict[str, dict[str, str]]:
    """Send every form of a page with nothing filled in; return what stands beside its fields."""
    told = {}
    for form in reader.open(f"{page}?lang={language}").forms:
        if form.method != "post" or not form.seen or form.action in NOT_LACKING:
            continue
        kept = {name: value for name, value in form.fields.items() if name not in form.seen}
        answer = reader.again(form.action, kept)
        assert answer.status_code == 400, (form.action, answer.status_code)
        told[form.action] = dict(BESIDE.findall(answer.get_data(as_text=True)))
    return told


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("page", PAGES)
def test_a_blank_field_is_worded_for_people(house: Flask, alice: Actor, page: str, language: str):
    reader = sign_in(house, alice)
    with nothing_changes():
        told = left_blank(reader, page, language)
    assert told, "a page without a form"
    for action, beside in told.items():
        assert beside, action
        for said in beside.values():
            assert not PROGRAMMERS.search(said), (action, said)
            assert bool(re.search("[\u0430-\u044f]", said)) is (language == "ru"), (action, said)


@pytest.mark.parametrize("page", AT_THE_DOOR)
def test_a_blank_field_at_the_door_is_worded_for_people(house: Flask, page: str):
    with nothing_changes():
        (beside,) = left_blank(Reader(house), page, "en").values()
    assert beside["email"] == "Enter an e-mail address."
    assert beside.get("password", "Enter your password.") == "Enter your password."


@pytest.mark.parametrize("step", STEPS)
def test_a_blank_step_of_a_withdrawal_is_worded_for_people(house: Flask, alice: Actor, step: str):
    reader = sign_in(house, alice)
    (form,) = [one for one in reader.open(step).forms if one.action.startswith("/app/withdraw/")]
    with nothing_changes():
        reader.send(form.action)
    assert reader.status == 400
    beside = dict(BESIDE.findall(reader.at.html))
    assert set(beside) == form.seen - {""}
    assert set(beside.values()) <= {"Choose a network.", "Enter an address.", "Enter an amount."}


def test_each_kind_of_field_says_what_to_do(house: Flask, alice: Actor):
    told = left_blank(sign_in(house, alice), "/app/addresses", "en")["/app/addresses"]
    assert (told["label"], told["network"]) == ("Fill this in.", "Choose a network.")
    assert told["address"] == "Enter an address."


def test_what_is_wrong_with_what_was_typed_is_said_as_the_api_says_it(house: Flask):
    with house.test_request_context():
        said = "Shorter than minimum length 12."
        assert blanks.worded("password", said) == said
