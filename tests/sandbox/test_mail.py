"""The mail sink: takes what a mail client sends, shows it, delivers nothing."""

import json
import smtplib
import urllib.request
from email.message import EmailMessage

import pytest

from protonpay.sandbox import mail
from tests.listening import leave, listen


@pytest.fixture
def box(tmp_path):
    return mail.Box(tmp_path / "kept")


@pytest.fixture
def smtp(box):
    with mail.SmtpServer(("127.0.0.1", 0), box) as server:
        listen(server)
        with smtplib.SMTP(*server.server_address, timeout=5) as client:
            yield client
        leave(server)


@pytest.fixture
def view(box):
    with mail.HttpServer(("127.0.0.1", 0), box) as server:
        listen(server)
        yield "http://{}:{}".format(*server.server_address)
        leave(server)


def a_message(subject="Verify your address", text="Your code is 123456", html=None):
    message = EmailMessage()
    message["From"] = "Proton Pay <no-reply@protonpay.example>"
    message["To"] = "alice@example.com"
    message["Subject"] = subject
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


def get(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


def test_a_message_is_shown_as_it_was_sent(smtp, view):
    smtp.send_message(a_message("Grüße", "Code: 123456", html="<p>Code: <b>123456</b></p>"))
    (shown,) = json.loads(get(f"{view}/messages"))
    assert shown.pop("id")
    assert shown.pop("receivedAt").endswith("Z")
    assert shown == {
        "from": "no-reply@protonpay.example",
        "to": ["alice@example.com"],
        "subject": "Grüße",
        "text": "Code: 123456\n",
        "html": "<p>Code: <b>123456</b></p>\n",
    }


def test_the_newest_comes_first(smtp, view):
    for subject in ("first", "second"):
        smtp.send_message(a_message(subject))
    assert [m["subject"] for m in json.loads(get(f"{view}/messages"))] == ["second", "first"]


def test_one_readers_messages_are_found(smtp, view):
    smtp.send_message(a_message("for alice"))
    smtp.sendmail("x@example.com", ["bob@example.com", "carol@example.com"], b"Subject: two\n\n.")
    (found,) = json.loads(get(f"{view}/messages?to=carol@example.com"))
    assert found["to"] == ["bob@example.com", "carol@example.com"]


def test_lines_that_begin_with_dots_keep_them(smtp, view):
    smtp.send_message(a_message(text=".\n..\nend"))
    (shown,) = json.loads(get(f"{view}/messages"))
    assert shown["text"] == ".\n..\nend\n"


def test_messages_are_forgotten_when_asked(smtp, view, box):
    smtp.send_message(a_message())
    request = urllib.request.Request(f"{view}/messages", method="DELETE")
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.status == 204
    assert json.loads(get(f"{view}/messages")) == []


def test_every_message_is_kept_in_the_folder(smtp, box, tmp_path):
    smtp.send_message(a_message("kept"))
    (file,) = (tmp_path / "kept").iterdir()
    assert b"Subject: kept" in file.read_bytes()


def test_the_oldest_go_when_there_are_too_many(box):
    for number in range(mail.MOST_MESSAGES + 1):
        box.put("a@example.com", ["b@example.com"], f"Subject: {number}\n\n".encode())
    subjects = [message["subject"] for message in box.read(None)]
    assert len(subjects) == mail.MOST_MESSAGES
    assert subjects[-1] == "1"


def test_what_is_in_a_message_does_not_run_on_the_page(smtp, view):
    smtp.send_message(a_message("<script>alert(1)</script>", "<script>alert(2)</script>"))
    page = get(view)
    assert "<script>" not in page
    assert "&lt;script&gt;alert(2)" in page


def test_a_message_that_is_too_large_is_refused_and_the_next_one_taken(smtp, view):
    with pytest.raises(smtplib.SMTPDataError, match="too large"):
        smtp.send_message(a_message(text="x" * mail.LARGEST_MESSAGE_BYTES))
    smtp.send_message(a_message("after"))
    assert [m["subject"] for m in json.loads(get(f"{view}/messages"))] == ["after"]


@pytest.mark.parametrize("command", ["DATA", "RCPT TO:<a@b>", "MAIL nonsense", "STARTTLS", ""])
def test_what_does_not_belong_is_refused_and_the_talk_goes_on(smtp, command):
    smtp.ehlo()
    code, _ = smtp.docmd(command)
    assert code in (501, 502, 503)
    assert smtp.noop()[0] == 250


def test_a_body_in_a_character_set_nobody_knows_is_shown_all_the_same(box):
    raw = b"Subject: odd\nContent-Type: text/plain; charset=x-unheard-of\n\nhello"
    box.put("a@example.com", ["b@example.com"], raw)
    (shown,) = box.read(None)
    assert shown["text"] == "hello"
