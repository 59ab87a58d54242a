"""Keys, webhooks, deliveries, events and invoices from the screens."""

import csv
import io
import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from protonpay.kernel import clock
from protonpay.kernel.scopes import FULL, Scope
from protonpay.portal.client import filters
from protonpay.request_log import recording
from protonpay.verify import verify
from protonpay.webhooks import delivery, service
from tests.actors import Actor, make_actor
from tests.api_keys.keys import make_key
from tests.portal.client.reader import Reader, Screen, sign_in
from tests.portal.client.test_team import invited
from tests.raw_server import answering, http
from tests.unchanged import nothing_changes
from tests.wire.posting import listed


@pytest.fixture
def reader(house: Flask, alice: Actor) -> Reader:
    return sign_in(house, alice)


def test_a_key_is_shown_once(reader: Reader, house: Flask):
    """T26: what is sent twice is one key, and no other page ever has it."""
    reader.open("/app/keys")
    fields = reader.at.form("/app/keys").fields
    typed = {**fields, "name": "Server", "permissions": "balance:read"}
    once, again = (reader.again("/app/keys", typed).text for _ in range(2))
    (key,) = set(re.findall(r"sk_live_[0-9A-Za-z]{38}", once + again))
    asked = {"headers": {"Authorization": f"Bearer {key}"}}
    assert reader.client.get("/api/client/balance", **asked).status_code == 200
    assert reader.client.get("/api/client/activity", **asked).status_code == 403
    reader.open("/app/keys")
    assert key not in reader.at.html
    (revoke,) = [form.action for form in reader.at.forms if form.action.endswith("/revoke")]
    reader.send(revoke)
    assert reader.client.get("/api/client/balance", **asked).status_code == 401


def test_a_key_is_rotated_and_both_are_shown(reader: Reader, alice: Actor):
    """T26: the new one is shown this once, the old one with its end; what was used is seen."""
    key = make_key(alice, ["balance:read"])
    said = {"headers": {"User-Agent": "python-requests/2.32.3"}}
    assert key.get("/client/balance", address="203.0.113.7", **said).status_code == 200
    place = f"/app/keys/{key.id}"
    assert place in reader.open("/app/keys").links
    assert "GET /client/balance 203.0.113.7 · Python Requests" in reader.at.text
    reader.open(place)
    fields = reader.at.form(f"{place}/rotate").fields | {"overlapSeconds": "604800"}
    once, again = (reader.again(f"{place}/rotate", fields).text for _ in range(2))
    (fresh,) = set(re.findall(r"sk_live_[0-9A-Za-z]{38}", once + again))
    assert f"The old one, {key.raw[:12]}…, still opens until" in once
    for raw in (fresh, key.raw):
        asked = {"headers": {"Authorization": f"Bearer {raw}"}}
        assert reader.client.get("/api/client/balance", **asked).status_code == 200
    for path in ("/app/keys", place):
        said = reader.open(path).text
        assert f"{fresh[:12]}…" in said
        assert f"{key.raw[:12]}… until" in said
        assert fresh not in reader.at.html
    for _ in range(2):
        reader.open(place)
        reader.send(f"{place}/rotate")
    assert reader.status == 409
    assert "At most 3 secrets at once." in reader.at.text


def test_what_a_key_may_is_said(reader: Reader, alice: Actor):
    """In words; on its own page as programs write it, too."""
    key = make_key(alice, ["balance:read", "invoices:write"])
    assert "See the balance, Make and manage invoices" in reader.open("/app/keys").text
    assert "balance:read invoices:write" in reader.open(f"/app/keys/{key.id}").text
    assert {scope.value for scope in Scope} | {FULL} == set(filters.SCOPES)


def test_what_was_missed_is_asked_for_by_the_readers_clocks(house: Flask, alice: Actor):
    """Moscow is three hours before UTC; what has not happened there yet is refused."""
    assert alice.call("PATCH", "/client/preferences", json={"timeZone": "Europe/Moscow"}).json
    made = {"url": "https://example.com/hooks", "events": ["invoice.paid"]}
    hook = alice.post("/client/webhooks", made).json["webhook"]["id"]
    mover = sign_in(house, alice)
    place = f"/app/webhooks/{hook}"
    assert "In your time zone, Europe/Moscow." in mover.open(place).text
    now = clock.now().astimezone(ZoneInfo("Europe/Moscow"))
    mover.send(f"{place}/again", since=f"{now - timedelta(minutes=5):%Y-%m-%dT%H:%M}")
    assert "under way again" in mover.at.text
    mover.open(place)
    with nothing_changes():
        mover.send(f"{place}/again", since=f"{now + timedelta(minutes=5):%Y-%m-%dT%H:%M}")
    assert mover.status == 400


def test_a_key_that_may_nothing_is_refused_and_nothing_is_lost(reader: Reader):
    reader.open("/app/keys")
    with nothing_changes():
        reader.send("/app/keys", name="Server")
    assert reader.status == 400
    assert "Choose one at least." in reader.at.text
    assert reader.at.form("/app/keys").fields["name"] == "Server"


def test_what_a_key_is_refused_is_found_and_read(reader: Reader, alice: Actor, bob: Actor):
    """Workbench: refusals in groups, a group's requests, one with what was sent and answered."""
    key = make_key(alice, ["transfers:write"])
    key.post("/client/transfer", {"toIdentifier": bob.public_id, "amount": 5000})
    assert key.get("/client/fees").status_code == 200
    assert recording.collect(10) == 2

    reader.open("/app/requests")
    assert "GET /api/client/fees" in reader.at.text
    (group,) = {link for link in reader.at.links if "code=insufficient_balance" in link}
    reader.open(f"/app/requests{group}")
    assert "GET /api/client/fees" not in reader.at.text
    (sheet,) = [link for link in reader.at.links if link.startswith("/app/requests.csv?")]
    with reader.client.get(f"{sheet}&from=2020-01-01") as answer:
        (line,) = csv.DictReader(io.StringIO(answer.get_data(as_text=True)))
    assert line["code"] == "insufficient_balance"
    reader.open(f"/app/requests{group}&to=2020-01-01")
    assert "Nothing here." in reader.at.text
    reader.open(f"/app/requests{group}")
    (one,) = {link for link in reader.at.links if re.fullmatch(r"/app/requests/c\w+", link)}
    reader.open(one)
    assert "The balance does not cover this amount." in reader.at.text
    assert '"amount": 5000' in reader.at.text
    assert key.raw not in reader.at.html


def test_a_pages_refusal_leads_to_the_request_that_has_its_id(reader: Reader, alice: Actor):
    """A page's own request is not kept, unless a program's had the same id: that is said."""
    key = make_key(alice)
    for path in ("/app/nowhere", "/nowhere"):
        answer = reader.client.get(path, headers={"Accept": "text/html"})
        told = Screen(answer.get_data(as_text=True))
        request_id = answer.headers["X-Request-Id"]
        assert f"/app/requests?requestId={request_id}" in told.links
        reader.open(f"/app/requests?requestId={request_id}")
        assert "Only requests of API keys are kept" in reader.at.text
        again = {"Authorization": f"Bearer {key.raw}", "X-Request-Id": request_id}
        assert key.client.get("/api/client/fees", headers=again).status_code == 200
        assert recording.collect(10) == 1
        reader.open(f"/app/requests?requestId={request_id}")
        assert "GET /api/client/fees" in reader.at.text
        with reader.client.get(f"/app/requests.csv?requestId={request_id}") as sheet:
            assert len(sheet.get_data(as_text=True).splitlines()) == 2


def test_who_is_not_signed_in_is_led_to_no_requests(house: Flask):
    answer = house.test_client().get("/nowhere", headers={"Accept": "text/html"})
    assert answer.headers["X-Request-Id"] in answer.text
    assert "/app/requests" not in answer.text


def test_a_webhook_from_its_first_to_its_last_day(reader: Reader, alice: Actor):
    """T27: test event, delivery with request and answer, resend, replay, new secret, removal."""
    with (
        answering(lambda connection, _: connection.sendall(http(status="500 No"))) as server,
        listed(server.url),
    ):
        reader.open("/app/webhooks")
        reader.send("/app/webhooks", url=server.url, events=["transfer.completed", "invoice.paid"])
        (secret,) = set(re.findall(r"whsec_[A-Za-z0-9+/=]+", reader.at.html))
        (place,) = {link for link in reader.at.links if "/app/webhooks/" in link}
        reader.open(place)
        reader.send(f"{place}/test", event="invoice.paid")
        assert "The test event is on its way." in reader.at.text
        service.dispatch()
        delivery.deliver_due(10)
        (to,) = {link for link in reader.open(place).links if "/deliveries/" in link}
        shown = reader.open(to)
        where = f"{to}/resend"
        assert f"POST {server.url}" in shown.text
        assert "500" in shown.text
        (request,) = server.requests
        head, _, body = request.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        assert verify(body, headers, secret)["event"] == "invoice.paid"

        reader.send(where)
        assert "It is being sent again." in reader.at.text
        reader.open(place)
        reader.send(f"{place}/again", after="0")
        assert "under way again" in reader.at.text
        reader.send(f"{place}/rotate", overlapSeconds="3600")
        (newer,) = set(re.findall(r"whsec_[A-Za-z0-9+/=]+", reader.at.html))
        assert newer != secret

        reader.open("/app/verify")
        lines = "\n".join(f"{name}: {value}" for name, value in headers.items())
        reader.send("/app/verify", headers=lines, body=body.decode(), secret=secret)
        assert "Everything fits" in reader.at.text
    reader.open(place)
    reader.send(f"{place}/change", events=["invoice.paid"], enabled="")
    assert "Off" in reader.at.text
    reader.open(place)
    reader.send(f"{place}/remove")
    assert "No endpoints yet." in reader.at.text


def test_an_invoice_from_its_making_to_its_refund(house: Flask, reader: Reader, alice: Actor):
    reader.open("/app/invoices/new")
    reader.send("/app/invoices/new", amount="50", description="<b>Subscription</b>")
    shown = reader.at
    assert "<b>Subscription</b>" in shown.text
    (pay,) = {link for link in shown.links if link.startswith("/pay/")}
    bob = make_actor(house, "Bob", funded="100")
    bob.post(f"/client/invoices/{pay.removeprefix('/pay/')}/pay")
    place = pay.replace("/pay/", "/app/invoices/")
    reader.open(place)
    assert "Paid" in reader.at.text
    reader.send(f"{place}/refund", amount="20")
    assert "The refund is on its way." in reader.at.text
    assert str(bob.available) == "70.00"
    reader.send(f"{place}/refund", amount="99")
    assert reader.status >= 400
    reader.open("/app/events")
    assert "invoice.paid" in reader.at.text
    (event,) = {link for link in reader.at.links if link.startswith("/app/events/evt_")} or {""}
    assert "Subscription" in reader.open(event).text or event == ""


def test_events_are_read_from_the_newest_and_show_who_was_told(reader: Reader, alice: Actor):
    hook = {"url": "https://example.com/hooks", "events": ["invoice.cancelled"]}
    made = alice.post("/client/webhooks", hook).json["webhook"]["id"]
    for _ in range(2):
        invoice = alice.post("/client/invoices", {"amount": 5}).json["invoice"]["id"]
        assert alice.post(f"/client/invoices/{invoice}/cancel").status_code == 200
    service.dispatch()
    links = [each for each in reader.open("/app/events").links if "/app/events/evt_" in each]
    newest, oldest = alice.get("/client/events?order=desc").json["events"]
    assert links == [f"/app/events/{each['id']}" for each in (newest, oldest)]
    reader.open(f"/app/events?before={newest['sequence']}")
    assert newest["id"] not in reader.at.html
    assert oldest["id"] in reader.at.html
    shown = reader.open(links[0])
    assert f"/app/webhooks/{made}/deliveries/{newest['id']}" in shown.links
    assert "https://example.com/hooks 0" in shown.text


def test_who_keeps_no_webhooks_sees_an_event_without_them(house: Flask, alice: Actor, bob: Actor):
    hook = {"url": "https://example.com/hooks", "events": ["invoice.cancelled"]}
    assert alice.post("/client/webhooks", hook).status_code == 200
    invoice = alice.post("/client/invoices", {"amount": 5}).json["invoice"]["id"]
    assert alice.post(f"/client/invoices/{invoice}/cancel").status_code == 200
    service.dispatch()
    (event,) = alice.get("/client/events").json["events"]
    viewer = invited(house, alice, bob, "viewer")
    viewer.send("/app/team/act", publicId=alice.public_id)
    shown = viewer.open(f"/app/events/{event['id']}")
    assert (viewer.status, invoice in shown.html) == (200, True)
    assert "example.com" not in shown.html


def test_an_invoice_is_cancelled(reader: Reader):
    reader.open("/app/invoices/new")
    reader.send("/app/invoices/new", amount="50")
    (action,) = [form.action for form in reader.at.forms if form.action.endswith("/cancel")]
    reader.send(action)
    assert "The invoice is cancelled." in reader.at.text
    assert "Cancelled" in reader.open("/app/invoices?status=CANCELLED").text
    assert "No invoices here." in reader.open("/app/invoices?status=PAID").text
