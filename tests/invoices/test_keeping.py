"""What an owner attaches to an invoice, notes about it, and how much more time they give."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from protonpay.invoices import receiving, service
from protonpay.kernel import clock
from tests.actors import Actor
from tests.events import events_of
from tests.invoices.asking import Asked, arrive, ask, pay_on_chain
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

DAY = timedelta(days=1)
ATTACHED = {"order": "1042", "shop.till-2": "Жанна ☕ </script>", "Z": "x" * 500}


def end(made: Asked) -> datetime:
    return service.find(made.id).invoice.expires_at


def extend(made: Asked, until: datetime, **more: Any) -> Any:
    body = {"expiresAt": clock.to_text(until)}
    return made.owner.post(f"/client/invoices/{made.id}/extend", body, **more)


def note(made: Asked, text: Any) -> Any:
    return made.owner.call("PATCH", f"/client/invoices/{made.id}", json={"note": text})


def test_what_is_attached_is_in_every_answer_to_its_owner_and_in_its_events(alice: Actor):
    made = ask(alice, metadata=ATTACHED)
    assert made.shown["metadata"] == ATTACHED
    listed = alice.get("/client/invoices").get_json()["invoices"]
    assert [one["metadata"] for one in listed] == [ATTACHED]
    assert made.cancel().get_json()["invoice"]["metadata"] == ATTACHED
    ((name, data),) = events_of(alice.id)
    assert (name, data["metadata"]) == ("invoice.cancelled", ATTACHED)
    assert ask(alice).shown["metadata"] == {}
    sheet = alice.get("/client/invoices?format=csv", buffered=True).get_data(as_text=True)
    assert '""order"": ""1042""' in sheet


def test_a_payer_is_shown_neither_what_is_attached_nor_the_note(alice: Actor, bob: Actor):
    made = ask(bob, "5", metadata={"order": "a-thing-of-bobs"})
    assert note(made, "a-note-of-bobs").status_code == 200
    paid = made.paid_by(alice)
    assert paid.status_code == 200
    seen = [paid.get_data(as_text=True)]
    for path in (f"/pay/{made.id}", f"/pay/{made.id}/plain", f"/pay/{made.id}/receipt"):
        answer = alice.client.get(path)
        assert answer.status_code == 200, path
        seen.append(answer.get_data(as_text=True))
    seen += [json.dumps(data) for _, data in events_of(alice.id)]
    assert [text for text in seen if "a-thing-of-bobs" in text or "a-note-of-bobs" in text] == []


@pytest.mark.parametrize(
    "attached",
    [
        {"1": "an integer: JSON.parse moves it"},
        {"": "x"},
        {"a b": "x"},
        {"_a": "x"},
        {"ключ": "x"},
        {"a" * 41: "x"},
        {"a": ""},
        {"a": "x" * 501},
        {"a": 1},
        {"a": None},
        {"a": {"b": "c"}},
        {"a": "\x00"},
        {f"a{number}": "x" for number in range(21)},
        [],
        "a=b",
        None,
    ],
    ids=lambda attached: ascii(attached)[:20],
)
def test_what_cannot_be_attached_is_refused(alice: Actor, attached: Any):
    body = {"amount": 5, "currency": "USDC", "metadata": attached}
    with nothing_changes():
        answer = refused(alice.post("/client/invoices", body), 400, "validation_error")
        assert "metadata" in answer["errors"]["json"]


def test_twenty_texts_can_be_attached(alice: Actor):
    most = {f"{'a' * 38}{number:02}": "x" * 500 for number in range(20)}
    assert ask(alice, metadata=most).shown["metadata"] == most


def test_a_note_is_written_changed_and_taken_away_whatever_the_status(alice: Actor):
    made = ask(alice)
    assert made.shown["note"] is None
    for text in ("Two parts,\nas agreed ☕", "x" * 2000):
        with only_changes("invoices"):
            assert note(made, text).get_json()["invoice"]["note"] == text
        assert made.shown["note"] == text
    assert made.cancel().status_code == 200
    assert note(made, None).get_json()["invoice"]["note"] is None
    assert [name for name, _ in events_of(alice.id)] == ["invoice.cancelled"], "of notes, nothing"


@pytest.mark.parametrize(
    "text", ["", "x" * 2001, 5, ["x"], "\x00"], ids=lambda text: ascii(text)[:9]
)
def test_what_is_no_note_is_refused(alice: Actor, text: Any):
    made = ask(alice)
    with nothing_changes():
        refused(note(made, text), 400, "validation_error")
        path = f"/client/invoices/{made.id}"
        refused(alice.call("PATCH", path, json={}), 400, "validation_error")


def test_it_is_payable_for_longer_and_its_payer_too_may_still_have_more_time(
    alice: Actor, bob: Actor
):
    made = ask(bob, "5", expiresInSeconds=60)
    first = end(made)

    answer = extend(made, first + DAY)

    assert answer.status_code == 200
    assert answer.get_json()["invoice"]["expiresAt"] == clock.to_text(first + DAY)
    assert events_of(bob.id) == []
    with clock.frozen(first + timedelta(minutes=10)):
        assert receiving.expire(made.id) is not None, "the job waits for the new end"
        assert (made.status, made.shown["extendable"]) == ("PENDING", True)
        assert made.paid_by(alice).status_code == 200
    assert (made.status, made.shown["late"]) == ("PAID", False)


def test_the_end_that_it_has_changes_nothing(alice: Actor):
    made = ask(alice)
    until = end(made) + DAY
    assert extend(made, until).status_code == 200
    with nothing_changes():
        assert extend(made, until).get_json()["invoice"]["expiresAt"] == clock.to_text(until)


def test_a_key_of_idempotency_prolongs_it_once(alice: Actor):
    made = ask(alice)
    until, key = end(made) + DAY, {"Idempotency-Key": "more-time-1042"}
    first = extend(made, until, headers=key)
    assert extend(made, until + DAY).status_code == 200
    again = extend(made, until, headers=key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.get_json() == first.get_json()
    assert clock.to_text(end(made)) == clock.to_text(until + DAY)


def test_it_ends_never_earlier_and_90_days_after_it_was_made_at_most(alice: Actor):
    made = ask(alice)
    latest = service.find(made.id).invoice.created_at + 90 * DAY
    with nothing_changes():
        for until in (end(made) - timedelta(seconds=1), latest + timedelta(seconds=1)):
            answer = refused(extend(made, until), 400, "validation_error")
            assert list(answer["errors"]["json"]) == ["expiresAt"]
    assert extend(made, latest).status_code == 200
    assert clock.second(end(made)) == clock.second(latest)


def test_only_what_waits_for_its_payer_is_prolonged(alice: Actor):
    confirming, paid, cancelled = ask(alice), ask(alice), ask(alice)
    receiving.follow(arrive(confirming.id, "50"))
    pay_on_chain(paid.id, "50")
    assert cancelled.cancel().status_code == 200
    assert [made.status for made in (confirming, paid)] == ["CONFIRMING", "PAID"]
    for made in (confirming, paid, cancelled):
        with nothing_changes():
            refused(extend(made, end(made) + DAY), 409, "state_conflict")
    expired = ask(alice, expiresInSeconds=60)
    with clock.frozen(end(expired) + timedelta(minutes=1)):
        receiving.expire(expired.id)
        with nothing_changes():
            refused(extend(expired, end(expired) + DAY), 409, "state_conflict")


def test_whose_it_is_not_neither_notes_nor_prolongs(alice: Actor, mallory: Actor):
    made = ask(alice)
    theirs = Asked(mallory, made.id, made.url)
    with nothing_changes():
        refused(extend(theirs, end(made) + DAY), 404, "not_found")
        refused(note(theirs, "mine"), 404, "not_found")
