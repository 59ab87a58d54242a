"""Presets and use of keys, the health of endpoints, invoices previewed, counted and sent."""

import re

import pytest
from flask import Flask

from protonpay.request_log import recording
from protonpay.webhooks import delivery
from tests.actors import Actor
from tests.api_keys.keys import make_key
from tests.invoices.asking import ask
from tests.mail.letters import waiting
from tests.portal.client.reader import sign_in
from tests.raw_server import answering, http
from tests.teams.people import verify
from tests.unchanged import nothing_changes
from tests.webhooks.test_lanes import happen, subscribe
from tests.wire.posting import listed


def test_a_preset_fills_in_what_a_key_may_and_makes_none(house: Flask, alice: Actor):
    reader = sign_in(house, alice)
    (payouts,) = [link for link in reader.open("/app/keys").links if "withdrawals:write" in link]
    with nothing_changes():
        html = reader.open(f"/app/keys{payouts.partition('#')[0]}").html
    checked = re.findall(r'name="permissions" value="([^"]+)" checked', html)
    assert checked == ["balance:read", "activity:read", "withdrawals:write"]


def test_keys_show_how_much_they_ask(house: Flask, alice: Actor):
    key = make_key(alice, ["balance:read"])
    for _ in range(3):
        key.get("/client/balance")
    recording.collect(10)
    reader = sign_in(house, alice)
    html = reader.open("/app/keys").html
    assert 'aria-label="3 requests in thirty days"' in html
    assert html.split('class="spark"')[1].split("</svg>")[0].count('class="chart-0"') == 1
    assert "3 запроса за тридцать дней" in reader.open("/app/keys?lang=ru").html


def test_an_endpoint_shows_how_it_answers(house: Flask, alice: Actor):
    reader = sign_in(house, alice)
    with answering(http(status="500 No")) as server, listed(server.url):
        hook = subscribe(alice, server.url)
        assert "Healthy" in reader.open("/app/webhooks").text
        happen(alice, 2)
        while delivery.deliver_due():
            pass
    for path in ("/app/webhooks", f"/app/webhooks/{hook}"):
        said = reader.open(path).text
        assert "Failing since" in said
        assert "In 24 hours 0% was taken, 95 of 100 within" in said
    assert "Taken 0, Not taken 2" in reader.at.text
    alice.call("PATCH", f"/client/webhooks/{hook}", json={"enabled": False})
    assert "You switched it off." in reader.open("/app/webhooks").text


def test_an_invoice_is_previewed_and_not_made(house: Flask, alice: Actor):
    reader = sign_in(house, alice)
    fields = reader.open("/app/invoices/new").form("/app/invoices/new").fields
    assert "preview" not in fields
    with nothing_changes():
        filled = {"amount": "1 250,5", "description": "<b>Обед</b>", "preview": "yes"}
        reader.send("/app/invoices/new", **filled)
    seen = reader.at.html.split('data-part="preview"')[1]
    assert "1,250.50" in seen
    assert "&lt;b&gt;Обед&lt;/b&gt;" in seen
    assert reader.at.form("/app/invoices/new").fields["amount"] == "1 250,5"
    with nothing_changes():
        for nonsense in ("", "1,250", "-5", "x"):
            reader.open("/app/invoices/new")
            reader.send("/app/invoices/new", amount=nonsense, expiresInSeconds="9", preview="yes")
            assert reader.status == 200, nonsense


def test_an_invoice_takes_what_the_api_takes(house: Flask, alice: Actor):
    reader = sign_in(house, alice)
    assert '<details class="further">' in reader.open("/app/invoices/new").html
    further = {
        "redirectUrl": "https://shop.example.com/thanks",
        "embedOrigin": "https://shop.example.com",
        "fixedEnd": "yes",
        "tolerance": "0,5",
        "acceptLate": "yes",
    }
    reader.send("/app/invoices/new", amount="50", **further)
    (made,) = alice.get("/client/invoices").json["invoices"]
    names = ("redirectUrl", "embedOrigin", "extendable", "tolerance", "acceptLate")
    told = [made[name] for name in names]
    assert told == [further["redirectUrl"], further["embedOrigin"], False, "0.50", True]
    reader.open("/app/invoices/new")
    reader.send("/app/invoices/new", amount="50")
    assert alice.get("/client/invoices").json["invoices"][0]["extendable"] is True


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"redirectUrl": "shop"}, "Must be an http or https address"),
        ({"embedOrigin": "https://shop.example.com/path"}, "Must be an origin"),
        ({"tolerance": "50"}, "The tolerance must be smaller than the amount."),
    ],
)
def test_a_refused_invoice_loses_nothing_and_says_where(
    house: Flask, alice: Actor, wrong: dict[str, str], said: str
):
    reader = sign_in(house, alice)
    reader.open("/app/invoices/new")
    typed = {"amount": "50", "description": "Обед", "expiresInSeconds": "3600", "fixedEnd": "yes"}
    typed |= {"redirectUrl": "https://shop.example.com/a?b=c", "acceptLate": "yes", **wrong}
    with nothing_changes():
        reader.send("/app/invoices/new", **typed)
    assert reader.status == 400
    kept = reader.at.form("/app/invoices/new").fields
    assert {name: kept[name] for name in typed} == typed
    (name,) = wrong
    assert '<details class="further" open>' in reader.at.html
    beside = re.search(rf'<p id="{name}-said" class="said bad">([^<]*)', reader.at.html)
    assert beside is not None
    assert beside[1].startswith(said)


def test_the_preview_names_the_cards_that_the_pay_page_takes(house: Flask, alice: Actor):
    made = ask(alice, "5")
    asked = {"Accept-Language": "ar-KW, en"}
    page = alice.client.get(f"/pay/{made.id}", headers=asked).text
    offered = re.findall(r'<option value="\w+ [A-Z]{3}">([^<]+)', page)
    assert offered[:2] == ["KWD · Tap", "USD · Tap"]
    reader = sign_in(house, alice)
    html = reader.open("/app/invoices/new", asked["Accept-Language"]).html
    preview = html.split('data-part="preview"')[1]
    assert re.findall(r'<bdi class="till">([^<]+)', preview) == offered


def test_invoices_are_counted_and_sent_from_their_screens(house: Flask, alice: Actor):
    verify(alice)
    one, other = ask(alice, "5"), ask(alice, "6")
    other.cancel()
    reader = sign_in(house, alice)
    said = reader.open("/app/invoices").text
    assert "All 2 Open 1 Cancelled 1" in said
    assert "/app/invoices?status=CANCELLED" in reader.at.links
    reader.open(f"/app/invoices/{one.id}")
    reader.send(f"/app/invoices/{one.id}/send", email="buyer@example.com", language="ru")
    assert "The e-mail is on its way." in reader.at.text
    assert "Sent to buyer@example.com" in reader.at.text
    assert [letter.to for letter in waiting("buyer@example.com")] == ["buyer@example.com"]
    assert f"/app/invoices/{other.id}/send" not in reader.open(f"/app/invoices/{other.id}").html
