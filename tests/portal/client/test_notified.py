"""The bell, its list, and what the overview says is wrong."""

import re
from datetime import timedelta

import pytest
from flask import Flask

from protonpay.kernel import clock, notices
from protonpay.kernel.events import NAMES, TRANSFER_COMPLETED
from protonpay.notifications.service import KINDS
from protonpay.portal.client.notified import GROUPS
from protonpay.portal.client.told import SENTENCES, told
from protonpay.portal.words import IN_RUSSIAN, speaker
from protonpay.telegram import service as telegram
from protonpay.telegram.bot import Bot
from protonpay.telegram.service import Started
from protonpay.webhooks.samples import SAMPLES
from tests.actors import Actor
from tests.api_keys.keys import make_key
from tests.notifications.happenings import disable, fail, happen, hold, hook, unread
from tests.portal.client.reader import Reader, sign_in


@pytest.fixture
def reader(house: Flask, alice: Actor) -> Reader:
    return sign_in(house, alice)


def bell(reader: Reader, path: str = "/app") -> str:
    """Return what the bell says, as it is heard."""
    (said,) = re.findall(r'class="bell"[^>]*aria-label="([^"]*)"', reader.open(path).html)
    return str(said)


def test_every_kind_has_a_sentence_in_both_languages_and_a_place():
    assert SENTENCES.keys() == set(KINDS)
    for sentence, _ in SENTENCES.values():
        assert sentence in IN_RUSSIAN
    for language in ("en", "ru"):
        for name in NAMES:
            row = {"id": "c1", "standing": False, "sequence": 1, "read": False, "createdAt": ""}
            (one,) = told([row | {"kind": name, "data": SAMPLES[name]}], speaker(language))
            assert "{" not in one.said + one.path


def test_a_transfer_says_which_way_it_went():
    data = SAMPLES[TRANSFER_COMPLETED]
    row = {"id": "c1", "standing": False, "sequence": 1, "read": False, "createdAt": ""}
    ways = [
        row | {"kind": TRANSFER_COMPLETED, "data": data | {"direction": way}}
        for way in ("IN", "OUT")
    ]
    came, went = told(ways, speaker("en"))
    assert (came.said, came.about) == ("You have received 25.00\xa0USDC.", data["from"])
    assert (went.said, went.about) == ("You have sent 25.00\xa0USDC.", data["to"])


def test_the_bell_counts_and_is_a_link(reader: Reader, alice: Actor):
    assert bell(reader) == "Notifications"
    happen(alice, "deposit.confirmed", "payout.failed")
    assert bell(reader) == bell(reader, "/app/fees") == "Notifications, unread: 2"
    assert bell(reader, "/app?lang=ru") == "Уведомления, непрочитанных: 2"
    assert "/app/notifications" in reader.at.links
    happen(alice, *["deposit.confirmed"] * 100)
    assert ">99+<" in reader.open("/app").html


def test_one_is_marked_and_the_page_stays_where_it_was(reader: Reader, alice: Actor):
    happen(alice, "deposit.confirmed", "payout.failed")
    reader.open("/app/notifications?show=unread&lang=en")
    assert "A withdrawal of 50.00 USDC has failed." in reader.at.text
    assert any(link.startswith("/app/withdrawals/") for link in reader.at.links)
    one = next(form for form in reader.at.forms if "back" in form.fields)
    reader.again(one.action, one.fields)
    assert unread(alice) == 1
    reader.open("/app/notifications?show=unread")
    assert "A withdrawal of 50.00 USDC has failed." not in reader.at.text
    assert "A deposit of 100.00 USDC has come in." in reader.at.text
    reader.open("/app/notifications")
    assert "A withdrawal of 50.00 USDC has failed." in reader.at.text


def test_all_that_was_shown_is_marked_and_no_more(reader: Reader, alice: Actor):
    happen(alice, "deposit.confirmed")
    hold(alice)
    reader.open("/app/notifications")
    (everything,) = [form for form in reader.at.forms if "upTo" in form.fields]
    happen(alice, "payout.failed")
    hold(alice)
    reader.again(everything.action, everything.fields)
    assert unread(alice) == 2
    assert bell(reader) == "Notifications, unread: 2"


def test_nothing_unread_has_nothing_to_mark(reader: Reader):
    reader.open("/app/notifications?show=unread")
    assert "Nothing unread." in reader.at.text
    assert all(not form.action.endswith("/read") for form in reader.at.forms)


def test_the_overview_says_what_is_wrong_and_where_it_is_mended(reader: Reader, alice: Actor):
    assert "To be looked at" not in reader.open("/app").html
    failing, ended = hook(alice), hook(alice, url="https://example.com/ended")
    fail(failing)
    disable(ended, "gone")
    ends = clock.to_text(clock.now() + timedelta(days=3))
    make_key(alice, ["balance:read"], name="Shop <b>", expiresAt=ends)
    held = hold(alice)
    reader.open("/app")
    for path in (f"webhooks/{failing}", f"webhooks/{ended}", "keys", f"deposits/{held}"):
        assert f"/app/{path}" in reader.at.links
        assert reader.client.get(f"/app/{path}").status_code == 200
    said = "An API key expires soon: make a new one in time. Shop <b> · until"
    assert said in reader.at.text
    assert "<b>" not in reader.at.html.replace("<bdi>", "")


def test_letters_are_chosen_in_a_form_without_a_script(reader: Reader, alice: Actor):
    said = {kind: word for _, kinds in GROUPS for kind, word in kinds}
    assert said.keys() == notices.LETTERS.keys()
    assert all(word in IN_RUSSIAN for word in said.values())
    reader.open("/app/notifications/preferences?lang=en")
    assert reader.at.html.count(" checked>") == sum(notices.LETTERS.values())
    assert "checked disabled" in reader.at.html
    form = reader.at.form("/app/notifications/preferences")
    reader.again(form.action, form.fields | {"email": "transfer.completed"})
    rows = alice.get("/client/notifications/preferences").get_json()["preferences"]
    assert {row["kind"] for row in rows if row["email"]} == {"transfer.completed", "security"}
    reader.open("/app/notifications/preferences")
    assert 'value="transfer.completed" checked' in reader.at.html


def test_telegram_is_a_column_where_there_is_a_bot(
    reader: Reader, alice: Actor, monkeypatch: pytest.MonkeyPatch
):
    page = "/app/notifications/preferences"
    reader.open(f"{page}?lang=en")
    assert "Telegram" not in reader.at.text
    monkeypatch.setattr(telegram.line, "bot", Bot("http://127.0.0.1:9", "100500:nobodys"))
    monkeypatch.setattr(telegram.line, "_page", "https://t.me/tests_bot")
    reader.open(page)
    reader.send(page, telegram="kyc.approved")
    rows = alice.get("/client/notifications/preferences").get_json()["preferences"]
    assert [row["kind"] for row in rows if row["telegram"]] == ["kyc.approved", "security"]

    reader.open(page)
    reader.send("/app/notifications/telegram")
    (url,) = [link for link in reader.at.links if link.startswith("https://t.me/tests_bot?start=")]
    assert telegram.start(url.partition("=")[2], 800_000, None) is Started.LINKED
    reader.open(page)
    reader.send("/app/notifications/telegram/unlink")
    assert telegram.chat_of(alice.id) is None
    assert "Unlinked." in reader.at.text
