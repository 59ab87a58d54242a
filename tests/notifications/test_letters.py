"""What happened is written to an account's owner: what they chose, once, as they read it."""

from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from protonpay.invoices import letters as invoice_letters
from protonpay.kernel import clock, notices
from protonpay.kernel.events import NAMES, PAYOUT_COMPLETED, TRANSFER_COMPLETED
from protonpay.kernel.money import Usdc
from protonpay.mail import writing
from protonpay.mail.models import LetterRow
from protonpay.notifications import emails
from protonpay.store import db
from protonpay.webhooks import failing
from tests.actors import Actor
from tests.api_keys.keys import make_key
from tests.mail.letters import letters, waiting
from tests.moments import Moments
from tests.notifications.happenings import fail, happen, hold, hook
from tests.refusals import refused
from tests.teams.people import member
from tests.unchanged import nothing_changes, only_changes

PREFERENCES = "/client/notifications/preferences"


@pytest.fixture(autouse=True)
def _nothing_before(alice: Actor) -> None:
    """Begin behind the letters of Alice's registration."""
    with db.transaction():
        db.execute("DELETE FROM letters", {})


def choose(actor: Any, **kinds: bool) -> Any:
    """Choose by names with dots as underscores; give what is answered."""
    told = [{"kind": kind.replace("__", "."), "email": email} for kind, email in kinds.items()]
    return actor.call("PATCH", PREFERENCES, json={"preferences": told})


def written(actor: Actor) -> Sequence[str]:
    """Write what is to be written; return the templates of all letters that wait."""
    while emails.write(10):
        pass
    emails.write_of_notices(10)
    return letters(actor.email)


def test_what_brings_or_takes_money_is_written_unless_chosen_otherwise(alice: Actor):
    happen(alice, *NAMES)
    assert written(alice) == [
        emails.TEMPLATES[name][0]
        for name in NAMES
        if notices.LETTERS[name] and name in emails.TEMPLATES
    ]


def test_each_event_is_written_once(alice: Actor):
    happen(alice, "deposit.confirmed", "payout.failed")
    assert written(alice) == written(alice) == ["deposit_credited", "withdrawal_failed"]
    happen(alice, "invoice.paid")
    assert written(alice)[2:] == ["invoice_paid"]


def test_who_dies_while_writing_has_written_nothing_and_it_is_written_then(
    alice: Actor, monkeypatch: pytest.MonkeyPatch
):
    happen(alice, "deposit.confirmed", "payout.failed")
    post = emails.mail.post

    def die(template: str, **values: Any) -> None:
        if template == "withdrawal_failed":
            raise RuntimeError("killed")
        post(template, **values)

    with monkeypatch.context() as patch, nothing_changes():
        patch.setattr(emails.mail, "post", die)
        assert emails.write(10) == 0
    assert written(alice) == ["deposit_credited", "withdrawal_failed"]


def test_an_event_whose_letter_was_written_gets_no_other_one(alice: Actor):
    """Whatever is believed of how far was read: the key is what counts."""
    happen(alice, "deposit.confirmed")
    assert written(alice) == ["deposit_credited"]
    with db.transaction():
        db.execute("UPDATE event_counters SET told = 0", {})
    assert written(alice) == ["deposit_credited"]
    assert emails.log.untold(10) == [], "and is behind us"


def test_one_accounts_mistake_keeps_nobody_elses_letter(
    alice: Actor, bob: Actor, monkeypatch: pytest.MonkeyPatch
):
    happen(alice, "payout.failed")
    happen(bob, "deposit.confirmed")
    post = emails.mail.post

    def stumble(template: str, **values: Any) -> None:
        if template == "withdrawal_failed":
            raise RuntimeError("a mistake of ours")
        post(template, **values)

    monkeypatch.setattr(emails.mail, "post", stumble)
    assert emails.write(10) == 1
    assert letters(bob.email)[-1] == "deposit_credited"


def test_what_is_switched_off_is_not_written_and_what_is_switched_on_is(alice: Actor):
    assert choose(alice, deposit__confirmed=False, transfer__completed=True).status_code == 200
    happen(alice, "deposit.confirmed", "transfer.completed", "deposit.card.success")
    assert written(alice) == ["transfer_sent", "deposit_credited"]
    choose(alice, deposit__confirmed=True)
    assert written(alice) == ["transfer_sent", "deposit_credited"], "what is over is over"


def test_a_choice_keeps_the_others_and_is_read_back(alice: Actor):
    choose(alice, invoice__paid=False)
    choose(alice, kyc__approved=False)
    rows = alice.get(PREFERENCES).get_json()["preferences"]
    off = {row["kind"] for row in rows if not row["email"]}
    assert off == {"invoice.paid", "kyc.approved"} | {
        kind for kind, wanted in notices.LETTERS.items() if not wanted
    }
    assert [row for row in rows if row["fixed"]] == [
        {"kind": "security", "email": True, "telegram": False, "fixed": True}
    ]


@pytest.mark.parametrize(
    "told",
    [
        [],
        [{"kind": "security", "email": False}],
        [{"kind": "payout.sent", "email": False}],
        [{"kind": "invoice.paid", "email": "no"}],
        [{"kind": "invoice.paid", "mail": True}],
        None,
    ],
)
def test_what_cannot_be_chosen_is_refused(alice: Actor, told: Any):
    body = {} if told is None else {"preferences": told}
    with nothing_changes():
        refused(alice.call("PATCH", PREFERENCES, json=body), 400, "validation_error")


def test_a_kind_that_is_named_alone_stays_as_it_is(alice: Actor):
    told = {"preferences": [{"kind": "invoice.paid"}]}
    before = alice.get(PREFERENCES).get_json()
    with nothing_changes():
        assert alice.call("PATCH", PREFERENCES, json=told).get_json() == before


def test_letters_of_security_are_written_whatever_is_chosen(alice: Actor):
    choose(alice, **{kind.replace(".", "__"): False for kind in notices.LETTERS})
    told = {"password": "correct horse battery staple", "newPassword": "quite another one 7"}
    assert alice.post("/client/password", told).status_code < 300
    assert letters(alice.email) == ["password_changed"]


def test_letters_go_to_the_owner_as_they_read_and_not_to_members(house: Flask, alice: Actor):
    acting = member(house, alice, "admin")
    with db.transaction():
        db.execute("DELETE FROM letters", {})
    preferred = {"language": "ru", "timeZone": "Asia/Dubai"}
    alice.call("PATCH", "/client/preferences", json=preferred)
    with clock.frozen(clock.now().replace(hour=20, minute=5)):
        happen(alice, PAYOUT_COMPLETED)
        assert written(alice) == ["withdrawal_arrived"]
    (letter,) = waiting(alice.email)
    assert letter.subject == "[TEST] Выведено 50,00 USDC"
    assert "00:05 UTC+4" in letter.text
    assert "Здравствуйте, Alice!" in letter.text
    assert "/app/withdrawals/cm00000000000000000000test" in letter.text
    assert "/app/notifications/preferences" in letter.text
    assert letters(acting.person.email) == []


def test_a_transfer_says_which_way(alice: Actor):
    choose(alice, transfer__completed=True)
    with db.transaction():
        for way in ("IN", "OUT"):
            data = {"id": "c1", "direction": way, "amount": "25.00", "from": "PP-A", "to": "PP-B"}
            emails.log.publish(TRANSFER_COMPLETED, alice.id, data)
    happen(alice)
    came, went = sorted(written(alice))
    assert (came, went) == ("transfer_received", "transfer_sent")
    said = " ".join(letter.text for letter in waiting(alice.email))
    assert "from PP-A" in said
    assert "to PP-B" in said


def test_a_flood_is_twenty_letters_an_hour(alice: Actor, moments: Moments):
    happen(alice, *["deposit.confirmed"] * 120)
    assert len(written(alice)) == emails.MOST_AN_HOUR
    moments.pass_by(3600)
    happen(alice, "deposit.confirmed")
    assert len(written(alice)) == emails.MOST_AN_HOUR + 1


def test_what_happened_while_nothing_wrote_is_written_late_and_says_when(
    alice: Actor, moments: Moments
):
    happen(alice, "deposit.confirmed", "payout.failed")
    happened = moments.now
    moments.pass_by(timedelta(days=2).total_seconds())
    assert sorted(written(alice)) == ["deposit_credited", "withdrawal_failed"]
    day = f"{happened:%d %b %Y}".lstrip("0")
    assert [day in letter.text for letter in waiting(alice.email)] == [True, True]
    until = set(db.db.session.scalars(select(LetterRow.useful_until)))
    assert until == {happened + emails.WANTED_FOR}, "a mail server may be away as long"


def test_after_thirty_days_it_is_no_news(alice: Actor, moments: Moments):
    happen(alice, "deposit.confirmed")
    moments.pass_by(emails.WANTED_FOR.total_seconds() + 1)
    with only_changes("event_counters"):
        assert written(alice) == []
    with nothing_changes():
        assert written(alice) == [], "considered once"


def test_a_test_of_an_endpoint_is_no_letter(alice: Actor):
    happen(alice, "deposit.confirmed", audience="cm00000000000000000000test")
    assert written(alice) == []


def test_what_stands_is_written_once_unless_it_is_not_wanted(alice: Actor, moments: Moments):
    hold(alice)
    ends = clock.to_text(moments.now + timedelta(days=30))
    make_key(alice, ["balance:read"], name="Shop", expiresAt=ends)
    assert written(alice) == ["deposit_on_hold"]
    moments.pass_by(timedelta(days=24).total_seconds())
    assert (
        sorted(written(alice))
        == sorted(written(alice))
        == [
            "api_key_expiring",
            "deposit_on_hold",
        ]
    )
    (letter,) = [each for each in waiting(alice.email) if "Shop" in each.text]
    assert "/app/keys" in letter.text
    choose(alice, deposit__on_hold=False)
    hold(alice)
    assert len(written(alice)) == 2
    choose(alice, deposit__on_hold=True)
    assert len(written(alice)) == 2


def test_a_key_made_for_days_needs_no_letter(alice: Actor):
    make_key(alice, ["balance:read"], expiresAt=clock.to_text(clock.now() + timedelta(days=3)))
    assert written(alice) == []


@pytest.mark.parametrize("wanted", [True, False])
def test_letters_that_rooms_write_ask_for_the_choice_too(alice: Actor, *, wanted: bool):
    choose(alice, webhook__failing=wanted, webhook__disabled=wanted, invoice__refund_claimed=wanted)
    failing_one, gone = hook(alice), hook(alice, url="https://example.com/gone")
    fail(failing_one)
    trouble = failing.Trouble(exhausted=False, worth_a_warning=True, blocked=False, broken=False)
    invoice: Any = SimpleNamespace(id="cm1", user_id=alice.id)
    claim: Any = SimpleNamespace(amount_micro=Usdc(1), wallet_address="0x1", network="Base")
    with db.transaction():
        db.execute("UPDATE webhook_lanes SET warned_at = NULL", {})
    failing.judge({failing_one: trouble}, clock.now())
    with db.transaction():
        failing.cancel_gone([gone], clock.now())
        invoice_letters.tell_of_claim(invoice, claim)
    told = ["invoice_refund_claimed", "webhook_disabled_gone", "webhook_failing"]
    assert sorted(letters(alice.email)) == (told if wanted else [])


def test_each_kind_is_written_by_one_and_its_templates_ask_alike():
    elsewhere = {"webhook.failing", "webhook.disabled", "invoice.refund_claimed"}
    assert emails.TEMPLATES.keys() | elsewhere == notices.LETTERS.keys()
    for template, _ in emails.TEMPLATES.values():
        english, russian = (writing.placeholders(template, each) for each in ("en", "ru"))
        assert english == russian
        assert english >= {"name", "when", "link", "choose"}
