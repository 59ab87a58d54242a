"""Letters are written with what they tell of, and sent until somebody took or refused them."""

import itertools
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from typing_extensions import override

from protonpay.kernel import clock
from protonpay.mail import service, writing
from protonpay.mail.models import LetterRow
from protonpay.mail.service import office
from protonpay.mail.smtp import Server, Smtp
from protonpay.sandbox import mail as sandbox
from protonpay.store.db import db, transaction
from protonpay.store.jobs import Later
from protonpay.store.outbox import OutboxRow
from tests.mail.sink import SENDER, Sink, open_sink

LINK = "https://protonpay.example/verify-email/abc"
WORDS = {"name": "Анна <b>", "link": LINK}


@pytest.fixture
def sink(house) -> Iterator[Sink]:
    with open_sink() as opened:
        yield opened


def post(to: str = "anna@example.com", language: str = "en") -> str:
    with transaction():
        service.post("verify_email", to=to, language=language, **WORDS)
    return str(db.session.scalars(select(LetterRow.id).order_by(LetterRow.id.desc())).first())


def stored(letter_id: str) -> LetterRow:
    return db.session.get_one(LetterRow, letter_id, populate_existing=True)


def test_a_letter_is_a_row_and_a_job_until_it_was_taken(house: Flask, sink: Sink):
    letter_id = post()
    jobs = db.session.execute(select(OutboxRow.job, OutboxRow.args)).all()
    assert jobs == [("mail.send", {"letter_id": letter_id})]
    assert b"anna" not in stored(letter_id).content
    assert sink.letters() == []
    assert service.waiting().count == 1

    assert service.send(letter_id) is None

    (letter,) = sink.letters("anna@example.com")
    assert letter["from"] == "no-reply@protonpay.example"
    assert letter["subject"] == "[TEST] Confirm your e-mail address"
    assert (stored(letter_id).state, stored(letter_id).content) == ("SENT", b"")
    assert service.waiting().count == 0
    said = house.test_cli_runner().invoke(args=["ops", "letters"]).output
    assert said == "0 waiting\n1 sent in the last 24 hours\n"
    assert service.counts(clock.now() - timedelta(minutes=1)) == {"SENT": 1}


def test_a_letter_that_was_sent_is_not_sent_again(sink: Sink):
    letter_id = post()
    for _ in range(3):
        assert service.send(letter_id) is None
    assert len(sink.letters()) == 1
    assert service.send("cm" + "a" * 23) is None


def test_what_is_rolled_back_was_never_written(sink: Sink):
    def write_and_fail() -> None:
        with transaction():
            service.post("verify_email", to="a@example.com", language="en", **WORDS)
            raise RuntimeError("change of mind")

    with pytest.raises(RuntimeError, match="change of mind"):
        write_and_fail()
    assert service.waiting().count == 0
    assert sink.letters() == []


@pytest.mark.parametrize("language", writing.LANGUAGES)
def test_both_forms_say_the_same_and_the_stranger_in_it_is_text(sink: Sink, language: str):
    service.send(post(language=language))
    (letter,) = sink.letters()
    assert LINK in letter["text"]
    assert "Анна <b>" in letter["text"]
    assert f'href="{LINK}"' in letter["html"]
    assert "Анна &lt;b&gt;" in letter["html"]
    assert "<b>" not in letter["html"]
    assert writing.TEST_WORDS in letter["text"]
    assert writing.TEST_WORDS in letter["html"]
    assert f'lang="{language}"' in letter["html"]


def test_where_money_is_real_nothing_says_test(sink: Sink):
    assert office.carrier is not None
    office.bind(office.carrier, test=False)
    service.send(post())
    (letter,) = sink.letters()
    assert letter["subject"] == "Confirm your e-mail address"
    assert "TEST" not in letter["text"] + letter["html"]


class _No(sandbox.Smtp):
    """Knows no reader."""

    @override
    def _recipient(self, rest: str) -> str:
        raise sandbox._Refused("550 no such mailbox")


class _NotNow(sandbox.Smtp):
    """Has no time."""

    @override
    def _data(self, _: str) -> str:
        raise sandbox._Refused("451 try again")


class _HangsUp(sandbox.Smtp):
    """Takes the letter and says nothing: was it taken?"""

    @override
    def _data(self, _: str) -> str:
        super()._data(_)
        raise ConnectionError


def test_a_refusal_for_ever_is_the_end(house):
    with open_sink(_No):
        letter_id = post()
        assert service.send(letter_id) is None
    assert stored(letter_id).state == "REFUSED"
    assert "550" in (stored(letter_id).reason or "")


@pytest.mark.parametrize("handler", [_NotNow, _HangsUp])
def test_what_nobody_knows_is_tried_again_with_the_same_name(house, handler):
    with open_sink(handler):
        letter_id = post()
        assert service.send(letter_id) == Later(10, "mail_server_silent")
        assert stored(letter_id).state == "PENDING"
        with clock.frozen(clock.now() + timedelta(minutes=10)):
            assert service.send(letter_id) == Later(300, "mail_server_silent")
    with open_sink() as sink:
        assert service.send(letter_id) is None
    raw = sink.box._messages[0].raw.decode()
    assert re.search(rf"Message-ID: <{letter_id}@protonpay\.example>", raw)
    assert "Auto-Submitted: auto-generated" in raw


def test_a_server_that_is_away_is_no_answer(house):
    with open_sink() as sink:
        gone = Smtp(Server.read(sink.url), SENDER)
    office.bind(gone, test=True)
    letter_id = post()
    assert service.send(letter_id) == Later(10, "mail_server_silent")
    office.bind(None, test=True)
    assert service.send(letter_id) == Later(60, "mail_not_set_up")


def test_after_its_time_it_is_not_sent(sink: Sink):
    letter_id = post()
    with clock.frozen(clock.now() + service.USEFUL_FOR):
        assert service.send(letter_id) is None
    assert stored(letter_id).state == "EXPIRED"
    assert sink.letters() == []


def test_letters_are_forgotten_in_the_end(sink: Sink):
    ended, waits = post(), post()
    service.send(ended)
    with clock.frozen(clock.now() + timedelta(days=91)):
        assert service.prune() == 1
    assert stored(waits).state == "PENDING"


def test_a_letter_takes_exactly_its_words(house):
    for wrong in ({}, {"name": "A"}, {**WORDS, "more": "x"}):
        with pytest.raises(ValueError, match="wants"), transaction():
            service.post("verify_email", to="a@example.com", language="en", **wrong)


def test_no_value_makes_a_paragraph_or_a_button_of_its_own():
    """Of every letter: a name with a link below it stays in its sentence."""
    stranger = "Eve\n\n[Sign in]\nhttps://evil.example/"
    for name, language in itertools.product(writing.names(), writing.LANGUAGES):
        wanted = writing.placeholders(name, language)
        plain, taken = (
            writing.write("c1", name, "a@example.com", language, values, test=False)
            for values in (dict.fromkeys(wanted, "Eve"), dict.fromkeys(wanted, stranger))
        )
        assert taken.text.count("\n\n") == plain.text.count("\n\n"), name
        assert 'href="https://evil.example/"' not in taken.html, name


def test_every_letter_is_written_in_every_language_with_the_same_words():
    assert writing.names()
    for name in writing.names():
        wanted = {writing.placeholders(name, language) for language in writing.LANGUAGES}
        assert len(wanted) == 1, name
        values = {each: f"https://example.com/{each}" for each in next(iter(wanted))}
        for language in writing.LANGUAGES:
            letter = writing.write("c1", name, "a@example.com", language, values, test=False)
            assert len(letter.subject) < 78, (name, language)
            for value in values.values():
                assert value in letter.text + letter.subject, (name, language)
                assert value in letter.html, (name, language)


@pytest.mark.parametrize(
    ("url", "tls", "local"),
    [
        ("smtps://me:p%40ss@mail.example.com", True, False),
        ("smtp://mail.example.com:2525", False, False),
        ("smtp://127.0.0.1", False, True),
        ("smtp://localhost:25", False, True),
    ],
)
def test_a_server_is_named_by_its_address(url: str, tls: bool, local: bool):  # noqa: FBT001
    server = Server.read(url)
    assert (server.implicit_tls, server.local) == (tls, local)


@pytest.mark.parametrize("url", ["mail.example.com", "http://mail.example.com", "smtp://", ""])
def test_what_is_no_server_is_refused(url: str):
    with pytest.raises(ValueError, match="SMTP_URL"):
        Server.read(url)


def test_a_server_elsewhere_must_speak_tls(house):
    """A password, or a link that opens an account, goes over no open wire."""
    with open_sink() as sink:
        server = Server.read(sink.url)
        elsewhere = Server(
            server.host, server.port, "me", "secret", implicit_tls=False, local=False
        )
        office.bind(Smtp(elsewhere, SENDER), test=True)
        letter_id = post()
        assert service.send(letter_id) == Later(10, "mail_server_silent")
        assert sink.letters() == []
