"""A mail server in this process, and the letters that reached it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from protonpay.mail.service import office
from protonpay.mail.smtp import Server, Smtp
from protonpay.sandbox import mail as sandbox
from tests.listening import leave, listen

SENDER = "Proton Pay <no-reply@protonpay.example>"


@dataclass(frozen=True)
class Sink:
    box: sandbox.Box
    url: str

    def letters(self, to: str | None = None) -> list[dict[str, Any]]:
        """Newest first."""
        return self.box.read(to)


@contextmanager
def serving(handler: type[sandbox.Smtp] = sandbox.Smtp) -> Iterator[Sink]:
    """Run a sink until the end of the block."""
    box = sandbox.Box(None)
    with sandbox.SmtpServer(("127.0.0.1", 0), box) as server:
        server.RequestHandlerClass = handler
        listen(server)
        try:
            yield Sink(box, f"smtp://127.0.0.1:{server.server_address[1]}")
        finally:
            leave(server)


@contextmanager
def open_sink(handler: type[sandbox.Smtp] = sandbox.Smtp) -> Iterator[Sink]:
    """Have this process's letters carried to a sink, until the end of the block."""
    before = office.carrier, office.test
    with serving(handler) as sink:
        office.bind(Smtp(Server.read(sink.url), SENDER), test=True)
        try:
            yield sink
        finally:
            office.bind(before[0], test=before[1])
