"""The search of the portal: one thing is led to, several are shown, nothing of others is."""

import pytest
from flask import Flask

from tests.actors import Actor
from tests.api_keys.keys import make_key
from tests.overview.test_lists import payout
from tests.portal.client.reader import Reader, sign_in


@pytest.fixture
def reader(house: Flask, alice: Actor) -> Reader:
    return sign_in(house, alice)


def pay(of: Actor, to: Actor, amount: str) -> str:
    answer = of.post("/client/transfer", {"toIdentifier": to.email, "amount": amount})
    return str(answer.get_json()["transfer"]["id"])


def test_the_one_that_was_meant_is_led_to(reader: Reader, alice: Actor, bob: Actor):
    """From the head of any page, without a script; an amount as people write it."""
    thing = pay(alice, bob, "12.5")
    for text in (thing, bob.email, "12.5", "12,5", " 12,50 "):
        reader.open("/app/fees")
        reader.send("/app/search", q=text)
        assert reader.status == 200
        assert reader.answer is not None
        assert reader.answer.request.path == f"/app/transfers/{thing}", text


def test_several_are_shown_in_groups(reader: Reader, alice: Actor, bob: Actor):
    things = {pay(alice, bob, "7"), pay(alice, bob, "7")}
    of_another_kind = payout(alice)
    pay(alice, bob, "1")
    screen = reader.open("/app/search?q=7")
    assert {link.rpartition("/")[2] for link in screen.links if "/transfers/c" in link} == things
    assert "Transfers" in screen.text
    assert "/app/activity?minAmount=7&maxAmount=7" in screen.links
    screen = reader.open("/app/search?q=1&lang=ru")
    assert f"/app/withdrawals/{of_another_kind}" in screen.links
    assert ("Переводы" in screen.text, "Выводы" in screen.text) == (True, True)
    shown = reader.open(f"/app/search?q={of_another_kind[:10]}&lang=en")
    assert reader.status == 200
    assert f"/app/withdrawals/{of_another_kind}" in shown.links, "how one begins leads nowhere yet"


def test_nothing_found_and_nothing_that_can_be_looked_for(
    reader: Reader, alice: Actor, mallory: Actor, bob: Actor
):
    of_others = pay(bob, alice, "1") if bob.available else payout(mallory)
    screen = reader.open(f"/app/search?q={of_others}")
    assert (reader.status, "Nothing of yours matches this." in screen.text) == (200, True)
    for text in ("two words", "ab", "ёлка"):
        screen = reader.open(f"/app/search?q={text}")
        assert reader.status == 400
        assert "Search for an id, a transaction" in screen.text
        assert screen.form("/app/search").fields["q"] in ("", text)
    assert reader.open("/app/search").text.count("Nothing of yours") == 0
    assert reader.status == 200


def test_a_key_that_was_pasted_is_shown_nowhere(reader: Reader, alice: Actor):
    keys = [make_key(alice), make_key(alice)]
    reader.open(f"/app/search?q={keys[0].raw}")
    assert keys[0].raw not in reader.at.html
    reader.open("/app/search?q=sk_live_")
    assert reader.at.links.count("/app/keys") >= 3, "the menu's and both hits"


def test_what_is_typed_is_text(reader: Reader):
    screen = reader.open("/app/search?q=%22%3E%3Cimg+src=x%3E")
    assert "<img src=x>" not in screen.html
