"""An invoice's page for its owner: own data, a note, more time, what programs were told of it."""

import html
from datetime import timedelta

import pytest
from flask import Flask

from protonpay.invoices import service
from protonpay.kernel import clock
from protonpay.webhooks import service as webhooks
from tests.actors import Actor
from tests.invoices.asking import Asked, ask, pay_on_chain
from tests.portal.client.reader import Reader, sign_in
from tests.portal.client.test_team import invited
from tests.unchanged import nothing_changes

HOSTILE = "</code><script>alert(1)</script> ☕"


@pytest.fixture
def reader(house: Flask, alice: Actor) -> Reader:
    return sign_in(house, alice)


def subscribe(actor: Actor, event: str) -> str:
    order = {"url": "https://shop.example.com/hook", "events": [event]}
    return str(actor.post("/client/webhooks", order).get_json()["webhook"]["id"])


def page(reader: Reader, made: Asked, language: str = "en") -> str:
    text = reader.open(f"/app/invoices/{made.id}?lang={language}").text
    assert reader.status == 200
    return text


def test_own_data_is_typed_a_line_each(reader: Reader, alice: Actor):
    reader.open("/app/invoices/new")
    typed = f"order = 1042\r\n\r\nnote={HOSTILE}=\r\n"
    reader.send("/app/invoices/new", amount="5", metadata=typed)
    [made] = alice.get("/client/invoices").get_json()["invoices"]
    assert made["metadata"] == {"order": "1042", "note": f"{HOSTILE}="}
    assert "<code>order=1042</code>" in reader.at.html
    assert f"<code>note={html.escape(HOSTILE)}=</code>" in reader.at.html


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("order", "Write a name=text on each line, each name once."),
        ("a=1\na=2", "Write a name=text on each line, each name once."),
        ("1=x", "Letters, digits, &#39;_&#39;, &#39;.&#39; and &#39;-&#39;"),
        ("a=", "Length must be between 1 and 500."),
    ],
)
def test_lines_that_cannot_be_are_said_beside_the_field_and_kept(
    reader: Reader, typed: str, said: str
):
    reader.open("/app/invoices/new")
    with nothing_changes():
        reader.send("/app/invoices/new", amount="5", metadata=typed)
    assert reader.status == 400
    beside = reader.at.html.partition('<p id="metadata-said" class="said bad">')[2]
    assert beside.startswith(said)
    assert f">{typed}</textarea>" in reader.at.html
    assert '<details class="further" open>' in reader.at.html


@pytest.mark.parametrize(
    ("language", "said"), [("en", "The note is kept."), ("ru", "Заметка сохранена.")]
)
def test_a_note_is_kept_and_taken_away(reader: Reader, alice: Actor, language: str, said: str):
    made = ask(alice)
    page(reader, made, language)
    reader.send(f"/app/invoices/{made.id}/note", note=f"One\r\n{HOSTILE}")
    assert said in reader.at.text
    assert made.shown["note"] == f"One\n{HOSTILE}"
    assert reader.at.html.count(html.escape(HOSTILE)) == 2, "where it is read and where changed"
    reader.send(f"/app/invoices/{made.id}/note", note=" ")
    assert made.shown["note"] is None
    with nothing_changes():
        reader.send(f"/app/invoices/{made.id}/note", note="x" * 2001)
    assert reader.status == 400
    assert '<details class="card" id="note" open>' in reader.at.html


def test_more_time_is_given_once_however_often_the_form_is_sent(reader: Reader, alice: Actor):
    made = ask(alice)
    page(reader, made)
    action = f"/app/invoices/{made.id}/extend"
    first = clock.from_text(made.shown["expiresAt"])
    week = clock.to_text(first + timedelta(days=7))
    assert f'<option value="{week}"' in reader.at.html
    fields = {**reader.at.form(action).fields, "expiresAt": week}
    for _ in range(2):
        assert reader.again(action, fields).status_code == 303
    assert made.shown["expiresAt"] == week
    page(reader, made)
    wrong = {
        clock.to_text(first + timedelta(days=90)): "It can be paid for 90 days at most",
        clock.to_text(first): "It can be paid until later than that already.",
        "soon": "Not a moment such as",
    }
    for until, said in wrong.items():
        with nothing_changes():
            reader.send(action, expiresAt=until)
        assert reader.status == 400
        beside = reader.at.html.partition('<p id="expiresAt-said" class="said bad">')[2]
        assert beside.startswith(said)
        assert '<details class="card" id="extend" open>' in reader.at.html
    assert made.cancel().status_code == 200
    page(reader, made)
    assert action not in [form.action for form in reader.at.forms]


def test_what_programs_were_told_and_how_it_went(house: Flask, alice: Actor, reader: Reader):
    hook = subscribe(alice, "invoice.paid")
    made = ask(alice, "50")
    assert "What your programs were told" not in page(reader, made)
    pay_on_chain(made.id, "20")
    pay_on_chain(made.id, "30")
    webhooks.dispatch()

    text = page(reader, made)

    told = text.partition("What your programs were told")[2]
    assert "invoice.paid https://shop.example.com/hook" in told
    assert "invoice.partially_paid —" in told
    events = alice.get(f"/client/events?object={made.id}").get_json()["events"]
    assert {f"/app/events/{one['id']}" for one in events} <= set(reader.at.links)
    paid = next(one["id"] for one in events if one["event"] == "invoice.paid")
    assert f"/app/webhooks/{hook}/deliveries/{paid}" in reader.at.links
    again = reader.client.get(f"/app/invoices/{made.id}", headers={"X-Looks-Again": "1"})
    assert "What your programs were told" not in again.text
    assert service.find(made.id).invoice.state == "PAID"


@pytest.mark.parametrize(
    ("language", "said", "before"),
    [
        ("en", "What changed", "Member Before After status PENDING PAID"),
        ("ru", "Что изменилось", "Поле Было Стало status PENDING PAID"),
    ],
)
def test_an_event_says_what_changed_since_the_one_before(
    reader: Reader, alice: Actor, language: str, said: str, before: str
):
    made, other = ask(alice, "50", metadata={"order": "1042"}), ask(alice, "7")
    pay_on_chain(made.id, "20")
    webhooks.dispatch()
    other.cancel()
    webhooks.dispatch()
    pay_on_chain(made.id, "30")
    webhooks.dispatch()
    first, last = alice.get(f"/client/events?object={made.id}").get_json()["events"]

    text = reader.open(f"/app/events/{last['id']}?lang={language}").text

    assert said in text
    assert before in text
    assert "amountPaid 20.00 50.00" in text
    table = reader.at.html.partition("<tbody>")[2].partition("</tbody>")[0]
    assert f"/app/events/{first['id']}" in reader.at.links
    assert "metadata" not in table
    assert "currency" not in table
    assert said not in reader.open(f"/app/events/{first['id']}").text


def test_a_viewer_sees_events_and_no_deliveries(house: Flask, alice: Actor, bob: Actor):
    viewer = invited(house, alice, bob, "viewer")
    subscribe(alice, "invoice.cancelled")
    made = ask(alice)
    made.cancel()
    webhooks.dispatch()
    viewer.send("/app/team/act", publicId=alice.public_id)
    text = viewer.open(f"/app/invoices/{made.id}").text
    assert "invoice.cancelled —" in text
    assert "shop.example.com" not in text
