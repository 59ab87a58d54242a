"""Letters by SMTP (RFC 5321), over TLS unless the server is on this machine."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from protonpay.kernel import clock
from protonpay.mail.port import Letter, Undeliverable
from protonpay.wire.http import NoAnswer

_SECONDS = 15
_FOR_EVER = 500
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server, as ``SMTP_URL`` names it: ``smtps://user:password@host:port``.

    Attributes:
        implicit_tls: TLS from the first byte (``smtps``); otherwise it begins with STARTTLS.
        local: on this machine: without TLS.
    """

    host: str
    port: int
    user: str
    password: str
    implicit_tls: bool
    local: bool

    @classmethod
    def read(cls, url: str) -> "Server":
        """Read a setting.

        Raises:
            ValueError: it names no server.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError(
                "SMTP_URL is an address such as smtps://user:password@mail.example.com"
            )
        return cls(
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            implicit_tls=parts.scheme == "smtps",
            local=_is_local(parts.hostname),
        )


class Smtp:
    """The carrier that speaks SMTP.

    Attributes:
        sender: what letters come from: ``Proton Pay <no-reply@example.com>``.
    """

    def __init__(self, server: Server, sender: str) -> None:
        self._server = server
        self.sender = sender

    def send(self, letter: Letter) -> None:
        """Hand a letter over (see ``Carrier.send``)."""
        message = _message(letter, self.sender)
        with _answers(), self._connected() as connection:
            connection.send_message(message, parseaddr(self.sender)[1], [letter.to])

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        server, context = self._server, ssl.create_default_context()
        if server.implicit_tls:
            made: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=_SECONDS, context=context
            )
        else:
            made = smtplib.SMTP(server.host, server.port, timeout=_SECONDS)
        with made as connection:
            if not server.implicit_tls and not server.local:
                connection.starttls(context=context)
            if server.user:
                connection.login(server.user, server.password)
            yield connection


@contextmanager
def _answers() -> Iterator[None]:
    """Sort what goes wrong: only a word about this letter is a no, all else is unknown."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as refused:
        code, said = next(iter(refused.recipients.values()))
        _judge(code, said)
    except smtplib.SMTPDataError as refused:
        _judge(refused.smtp_code, refused.smtp_error)
    except (smtplib.SMTPException, OSError) as error:
        raise NoAnswer(f"mail server: {type(error).__name__}") from error


def _judge(code: int, said: bytes | str) -> None:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    if code >= _FOR_EVER:
        raise Undeliverable(f"{code} {text}"[:500].replace("\x00", ""))
    raise NoAnswer(f"mail server: {code}")


def _message(letter: Letter, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.to
    # A line break in a subject would be another header.
    message["Subject"] = " ".join(letter.subject.split())
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{letter.id}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer is wanted
    message["Content-Language"] = letter.language
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
