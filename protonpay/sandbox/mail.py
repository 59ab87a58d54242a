"""A mail sink: ``python -m protonpay.sandbox.mail --smtp 127.0.0.1:2525 --http 127.0.0.1:8025``.

Takes every message by SMTP (RFC 5321, without TLS and without passwords) and delivers none.
``GET /`` shows them to a person, ``GET /messages`` to a program, newest first (``?to=ADDRESS``
for one reader), ``DELETE /messages`` forgets them. The oldest go when there are too many.
"""

import argparse
import html
import json
import secrets
import signal
import socketserver
import sys
import threading
from collections import deque
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override

from protonpay.kernel import clock

MOST_MESSAGES = 500
LARGEST_MESSAGE_BYTES = 5_000_000
_MOST_RECIPIENTS = 100
_LONGEST_LINE = 4096
_PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it was taken: who it is from and to is what the envelope said."""

    id: str
    received_at: str
    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    def as_json(self) -> dict[str, Any]:
        """Return what a program wants to know of it."""
        parsed = message_from_bytes(self.raw, policy=policy.default)
        return {
            "id": self.id,
            "receivedAt": self.received_at,
            "from": self.sender,
            "to": list(self.recipients),
            "subject": str(parsed.get("Subject", "")),
            "text": _body(parsed, "plain"),
            "html": _body(parsed, "html"),
        }


def _body(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    if part is None:
        return None
    try:
        text = str(part.get_content())
    except LookupError:  # a character set that nobody knows
        text = bytes(part.get_payload(decode=True)).decode(errors="replace")
    return text.replace("\r\n", "\n")


class Box:
    """The messages, newest first; kept in a folder as well, if there is one."""

    def __init__(self, folder: Path | None) -> None:
        self._messages: deque[Message] = deque(maxlen=MOST_MESSAGES)
        self._folder = folder
        if folder:
            folder.mkdir(parents=True, exist_ok=True)

    def put(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """Keep a message."""
        now = clock.to_text(clock.now())
        message = Message(secrets.token_hex(8), now, sender, tuple(recipients), raw)
        self._messages.appendleft(message)
        if self._folder:
            name = f"{now.replace(':', '')}-{message.id}.eml"
            self._folder.joinpath(name).write_bytes(raw)

    def read(self, to: str | None) -> list[dict[str, Any]]:
        """Return the messages, of one reader if wanted."""
        # Whose it is, the envelope says: what is not asked for is not taken apart.
        asked_for = [each for each in list(self._messages) if to is None or to in each.recipients]
        return [message.as_json() for message in asked_for]

    def empty(self) -> None:
        """Forget every message (those in the folder stay)."""
        self._messages.clear()


class _Refused(Exception):
    """What the client is told instead of 250."""


class Smtp(socketserver.StreamRequestHandler):
    """One conversation."""

    timeout = _PATIENCE_SECONDS
    server: "SmtpServer"
    _sender: str | None
    _recipients: list[str]

    @override
    def setup(self) -> None:
        super().setup()
        self._forget()

    @override
    def handle(self) -> None:
        self._say("220 protonpay mail sink")
        try:
            while line := self.rfile.readline(_LONGEST_LINE):
                verb, _, rest = line.decode("latin-1").strip().partition(" ")
                if verb.upper() == "QUIT":
                    self._say("221 bye")
                    return
                self._answer(verb.upper(), rest)
        except (TimeoutError, ConnectionError):
            return

    def _answer(self, verb: str, rest: str) -> None:
        verbs = {
            "EHLO": self._hello,
            "HELO": self._hello,
            "MAIL": self._mail,
            "RCPT": self._recipient,
            "DATA": self._data,
            "RSET": self._reset,
            "NOOP": self._nothing,
        }
        act = verbs.get(verb, self._unknown)
        try:
            self._say(act(rest))
        except _Refused as refusal:
            self._say(str(refusal))

    def _hello(self, _: str) -> str:
        self._forget()
        return f"250-protonpay\n250-8BITMIME\n250-SMTPUTF8\n250 SIZE {LARGEST_MESSAGE_BYTES}"

    def _mail(self, rest: str) -> str:
        self._forget()
        self._sender = _address(rest, "FROM:")
        return "250 ok"

    def _recipient(self, rest: str) -> str:
        if self._sender is None:
            raise _Refused("503 first MAIL")
        if len(self._recipients) >= _MOST_RECIPIENTS:
            raise _Refused("452 too many recipients")
        self._recipients.append(_address(rest, "TO:"))
        return "250 ok"

    def _data(self, _: str) -> str:
        if self._sender is None or not self._recipients:
            raise _Refused("503 first MAIL and RCPT")
        self._say("354 end with a dot")
        self.server.box.put(self._sender, self._recipients, self._read_message())
        self._forget()
        return "250 taken"

    def _reset(self, _: str) -> str:
        self._forget()
        return "250 ok"

    def _nothing(self, _: str) -> str:
        return "250 ok"

    def _unknown(self, _: str) -> str:
        return "502 not known here"

    def _read_message(self) -> bytes:
        lines: list[bytes] = []
        size = 0
        while (line := self.rfile.readline(LARGEST_MESSAGE_BYTES)) not in (b".\r\n", b".\n"):
            if not line:
                raise ConnectionError("ended in the middle of a message")
            size += len(line)
            if size <= LARGEST_MESSAGE_BYTES:
                lines.append(line.removeprefix(b"."))  # RFC 5321, 4.5.2: dots are doubled
        if size > LARGEST_MESSAGE_BYTES:
            raise _Refused("552 too large")
        return b"".join(lines)

    def _forget(self) -> None:
        self._sender = None
        self._recipients = []

    def _say(self, text: str) -> None:
        self.wfile.write(text.replace("\n", "\r\n").encode() + b"\r\n")


def _address(rest: str, word: str) -> str:
    if not rest.upper().startswith(word):
        raise _Refused(f"501 {word}<address>")
    bracketed = rest[len(word) :].strip().partition(">")[0] + ">"
    # Bytes were read one for one; an address may be UTF-8 (RFC 6531).
    return parseaddr(bracketed.encode("latin-1").decode(errors="replace"))[1]


class SmtpServer(socketserver.ThreadingTCPServer):
    """Takes messages into a box."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], box: Box) -> None:
        self.box = box
        super().__init__(address, Smtp)


class HttpServer(ThreadingHTTPServer):
    """Shows a box."""

    def __init__(self, address: tuple[str, int], box: Box) -> None:
        self.box = box
        super().__init__(address, View)


class View(BaseHTTPRequestHandler):
    """One request."""

    timeout = _PATIENCE_SECONDS
    server: HttpServer

    def do_GET(self) -> None:
        """Show the messages, to a person or to a program."""
        place = urlsplit(self.path)
        messages = self.server.box.read(parse_qs(place.query).get("to", [None])[0])
        if place.path == "/messages":
            self._send("application/json", json.dumps(messages, ensure_ascii=False))
        elif place.path == "/":
            self._send("text/html; charset=utf-8", _page(messages))
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_DELETE(self) -> None:
        """Forget the messages."""
        if urlsplit(self.path).path != "/messages":
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.server.box.empty()
        self.send_response(HTTPStatus.NO_CONTENT)
        self.end_headers()

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a line per request is noise."""

    def _send(self, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        # A message is a stranger's: nothing in it runs, nothing is loaded.
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.end_headers()
        self.wfile.write(body)


_STYLE = (
    "body{font:16px/1.5 system-ui;max-width:46rem;margin:2rem auto;padding:0 1rem}"
    "article{border-top:1px solid #ccc;padding:1rem 0}pre{white-space:pre-wrap}"
    "iframe{width:100%;height:24rem;border:1px solid #ccc}small{color:#555}"
)


def _page(messages: list[dict[str, Any]]) -> str:
    shown = "".join(_article(message) for message in messages) or "<p>No mail yet.</p>"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Mail</title>'
        f"<style>{_STYLE}</style><h1>Mail</h1>{shown}"
    )


def _article(message: dict[str, Any]) -> str:
    sender, subject = html.escape(message["from"]), html.escape(message["subject"])
    to = html.escape(", ".join(message["to"]))
    return (
        f"<article><h2>{subject or '(no subject)'}</h2>"
        f"<small>{message['receivedAt']} · {sender} → {to}</small>{_shown_body(message)}</article>"
    )


def _shown_body(message: dict[str, Any]) -> str:
    if message["text"] is None and message["html"] is not None:
        return f'<iframe sandbox srcdoc="{html.escape(message["html"])}"></iframe>'
    return f"<pre>{html.escape(message['text'] or '')}</pre>"


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def _stop(*_: object) -> NoReturn:
    sys.exit(0)


def main() -> None:
    """Listen on both, say ``ready``, serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m protonpay.sandbox.mail", description=__doc__)
    parser.add_argument("--smtp", required=True, type=_place, metavar="HOST:PORT")
    parser.add_argument("--http", required=True, type=_place, metavar="HOST:PORT")
    parser.add_argument("--folder", type=Path, help="keep every message here, as .eml")
    options = parser.parse_args()
    box = Box(options.folder)
    with SmtpServer(options.smtp, box) as smtp, HttpServer(options.http, box) as pages:
        signal.signal(signal.SIGTERM, _stop)
        threading.Thread(target=smtp.serve_forever, daemon=True).start()
        print("ready", flush=True)  # noqa: T201 - the supervisor waits for it
        pages.serve_forever()


if __name__ == "__main__":
    main()
