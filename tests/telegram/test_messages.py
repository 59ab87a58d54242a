"""What happened is told in the chat of an account, as its owner chose; what they are not is not."""

from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from protonpay.invoices import letters as invoice_letters
from protonpay.kernel import clock, notices
from protonpay.kernel.money import Usdc
from protonpay.mail import writing
from protonpay.mail.service import office
from protonpay.notifications import emails
from protonpay.store import db
from protonpay.store.jobs import Later
from protonpay.telegram import messages, service
from protonpay.telegram.bot import Bot
from protonpay.telegram.service import line
from protonpay.webhooks import failing
from tests.actors import Actor
from tests.mail.letters import letters
from tests.moments import Moments
from tests.notifications.happenings import fail, happen, hold, hook
from tests.refusals import refused
from tests.telegram.chats import Person, Telegram, link, send_all, states, waiting
from tests.unchanged import nothing_changes, only_changes

PREFERENCES = "/client/notifications/preferences"


@pytest.fixture
def person(alice: Actor, telegram: Telegram) -> Person:
    """Somebody whose chat is Alice's, and who has read nothing of it; her letters are gone."""
    found = telegram.someone()
    link(alice, found)
    with db.transaction():
        db.execute("DELETE FROM letters", {})
    return found


def choose(actor: Actor, *told: Mapping[str, Any]) -> Any:
    return actor.call("PATCH", PREFERENCES, json={"preferences": list(told)})


def tell(*_: Any) -> None:
    """Write what is to be written, and send it."""
    while emails.write(10):
        pass
    emails.write_of_notices(10)
    send_all()


def test_an_event_is_told_in_the_letters_words_with_its_page(alice: Actor, person: Person):
    happen(alice, "payout.completed")
    tell()
    told = person.read[-1]
    assert told.startswith("TEST DATA · ТЕСТОВЫЕ ДАННЫЕ\n\n50.00 USDC were withdrawn\n\n")
    assert told.endswith("/app/withdrawals/cm00000000000000000000test")
    assert "Hello" not in told
    assert letters(alice.email) == ["withdrawal_arrived"]
    assert states() == ["SENT"]


def test_it_is_told_in_the_owners_language_and_of_no_test_where_money_is_real(
    alice: Actor, person: Person, monkeypatch: pytest.MonkeyPatch
):
    alice.call("PATCH", "/client/preferences", json={"language": "ru"})
    monkeypatch.setattr(office, "test", False)
    happen(alice, "payout.completed")
    tell()
    assert person.read[-1].startswith("Выведено 50,00 USDC\n\n")


def test_letters_and_messages_are_chosen_apart(alice: Actor, person: Person):
    answer = choose(
        alice,
        {"kind": "invoice.paid", "email": False},
        {"kind": "deposit.confirmed", "telegram": False},
        {"kind": "transfer.completed", "email": False, "telegram": True},
    )
    rows = {row["kind"]: row for row in answer.get_json()["preferences"]}
    assert rows["invoice.paid"] | {"telegram": True} == rows["invoice.paid"]
    assert rows["security"] == {"kind": "security", "email": True, "telegram": True, "fixed": True}
    happen(alice, "invoice.paid", "deposit.confirmed", "transfer.completed")
    before = len(person.read)
    tell()
    assert letters(alice.email) == ["deposit_credited"]
    said = "\n".join(person.read[before:])
    assert len(person.read) == before + 2
    assert "/app/invoices/" in said
    assert "/app/transfers/" in said


@pytest.mark.parametrize(
    "told", [{"kind": "security", "telegram": False}, {"kind": "invoice.paid", "telegram": "no"}]
)
def test_what_cannot_be_chosen_is_refused(alice: Actor, person: Person, told: Mapping[str, Any]):
    with nothing_changes():
        refused(choose(alice, told), 400, "validation_error")


def test_an_account_without_a_chat_has_no_messages_and_all_its_letters(
    alice: Actor, telegram: Telegram
):
    choose(alice, *({"kind": kind, "email": False} for kind in notices.LETTERS))
    happen(alice, *["deposit.confirmed"] * 3)
    tell()
    assert states() == []
    assert db.execute("SELECT count(*) FROM notification_letters", {}).fetchone() == (0,)


def test_what_stands_and_what_rooms_write_is_told_too(alice: Actor, person: Person):
    before = len(person.read)
    hold(alice)
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
    tell()
    said = person.read[before:]
    assert len(said) == 4
    assert any("https://example.com/hook" in one for one in said), (
        "a list is told with what follows"
    )


def test_security_is_told_beside_its_letter_without_its_link(alice: Actor, person: Person):
    choose(alice, *({"kind": kind, "telegram": False} for kind in notices.LETTERS))
    told = {"password": "correct horse battery staple", "newPassword": "quite another one 7"}
    assert alice.post("/client/password", told).status_code < 300
    assert letters(alice.email) == ["password_changed"]
    send_all()
    said = person.read[-1]
    assert "Your password was changed" in said
    assert "letter to your e-mail address" in said
    assert "http" not in said


@pytest.mark.parametrize("language", writing.LANGUAGES)
@pytest.mark.parametrize("template", writing.names())
def test_no_short_form_of_a_letter_has_its_link_unless_it_is_given(template: str, language: str):
    given = writing.placeholders(template, language)
    secret = "https://pay.example/x?token=secret"
    values = dict.fromkeys(given, "value") | ({"link": secret} if "link" in given else {})
    with_link = writing.short(template, language, values, test=False)
    values.pop("link", None)
    without = writing.short(template, language, values, test=False)
    assert secret not in without
    assert "\n\n\n" not in without
    assert with_link.count(secret) == ("link" in given)


def test_a_message_that_is_not_answered_is_sent_again_ever_later(
    alice: Actor, person: Person, telegram: Telegram, moments: Moments
):
    happen(alice, "payout.completed")
    while emails.write(10):
        pass
    (message,) = waiting()
    telegram.pull("faults", fault="accept_then_drop", call="sendMessage", times=1)
    before = len(person.read)
    assert messages.send(message) == Later(10, "telegram_silent")
    assert states() == ["PENDING"], "nobody knows"
    moments.pass_by(600)
    telegram.pull("faults", fault="status", call="sendMessage", status=500, times=1)
    assert messages.send(message) == Later(600, "telegram_silent")
    assert messages.send(message) is None
    assert states() == ["SENT"]
    assert person.read[before:] == [person.read[-1]] * 2, "twice is better than not at all"
    with nothing_changes():
        assert messages.send(message) is None


@pytest.mark.parametrize(
    ("fault", "later"),
    [
        ({"fault": "status", "status": 429}, Later(1, "telegram_asks_for_patience")),
        ({"fault": "status", "status": 401}, Later(10, "telegram_silent")),
        ({"fault": "html"}, Later(10, "telegram_silent")),
        ({"fault": "reset"}, Later(10, "telegram_silent")),
    ],
)
def test_what_is_no_answer_of_this_message_leaves_it_waiting(
    alice: Actor, person: Person, telegram: Telegram, fault: Any, later: Later
):
    with db.transaction():
        assert messages.post(service.users.get(alice.id), "identity_approved", when="now")
    (message,) = waiting()
    telegram.pull("faults", call="sendMessage", **fault)
    with nothing_changes():
        assert messages.send(message) == later


def test_who_has_blocked_the_bot_is_unlinked_and_written_to(alice: Actor, person: Person):
    happen(alice, "payout.completed", "invoice.paid")
    while emails.write(10):
        pass
    first, second = waiting()
    person.blocks()
    assert messages.send(first) is None
    assert service.chat_of(alice.id) is None
    assert letters(alice.email)[-1] == "telegram_unlinked"
    assert messages.send(second) is None
    assert sorted(states()) == ["DROPPED", "REFUSED"]


def test_a_chat_that_there_is_not_is_unlinked(alice: Actor, person: Person):
    with db.transaction():
        db.execute("UPDATE telegram_chats SET chat_id = 1", {})
        messages.post(service.users.get(alice.id), "identity_approved", when="now")
    send_all()
    assert service.chat_of(alice.id) is None


def test_a_message_that_telegram_will_not_take_is_given_up_and_the_chat_stays(
    alice: Actor, person: Person, telegram: Telegram
):
    with db.transaction():
        messages.post(service.users.get(alice.id), "identity_approved", when="now")
    telegram.pull("faults", fault="status", call="sendMessage", status=400)
    send_all()
    assert states() == ["REFUSED"]
    assert service.chat_of(alice.id) == person.number


def test_what_is_of_yesterday_is_not_sent(alice: Actor, person: Person, moments: Moments):
    with db.transaction():
        messages.post(service.users.get(alice.id), "identity_approved", when="now")
    moments.pass_by(timedelta(days=1).total_seconds())
    before = person.read
    send_all()
    assert states() == ["EXPIRED"]
    assert person.read == before
    moments.pass_by(timedelta(days=91).total_seconds())
    assert messages.prune() == 1


def test_without_a_bot_messages_wait(alice: Actor, person: Person):
    with db.transaction():
        messages.post(service.users.get(alice.id), "identity_approved", when="now")
    (message,) = waiting()
    bot, line.bot = line.bot, None
    with only_changes():
        assert messages.send(message) == Later(60, "telegram_not_set_up")
    line.bot = bot
    assert isinstance(bot, Bot)


def test_an_operator_sees_how_many_wait_and_how_the_others_ended(
    house: Flask, alice: Actor, person: Person
):
    for _ in range(2):
        with db.transaction():
            messages.post(service.users.get(alice.id), "identity_approved", when="now")
    assert messages.send(waiting()[0]) is None
    said = house.test_cli_runner().invoke(args=["ops", "telegram"]).output
    assert said == "1 pending\n1 sent\n"
