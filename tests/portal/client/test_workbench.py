"""Presets and use of keys, the health of endpoints, invoices previewed, counted and sent."""

import re

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


def test_invoices_are_counted_and_sent_from_their_screens(house: Flask, alice: Actor):
    verify(alice)
    one, other = ask(alice, "5"), ask(alice, "6")
    other.cancel()
    reader = sign_in(house, alice)
    said = reader.open("/app/invoices").text
    assert "All 2 Pending 1 Cancelled 1" in said
    assert "/app/invoices?status=CANCELLED" in reader.at.links
    reader.open(f"/app/invoices/{one.id}")
    reader.send(f"/app/invoices/{one.id}/send", email="buyer@example.com", language="ru")
    assert "The letter is on its way." in reader.at.text
    assert "Sent to buyer@example.com" in reader.at.text
    assert [letter.to for letter in waiting("buyer@example.com")] == ["buyer@example.com"]
    assert f"/app/invoices/{other.id}/send" not in reader.open(f"/app/invoices/{other.id}").html
