"""Simulators as real processes, their levers, and a stand-in for our own front door."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import requests

from protonpay.cards.port import CallbackRequest
from tests.listening import leave, listen
from tests.patience import until

PATIENCE = 10


class Simulator:
    """A running simulator: its address, and its levers."""

    def __init__(self, listen: str, command: list[str]) -> None:
        self.url = f"http://{listen}"
        self._command = command
        self.start()

    def start(self) -> None:
        """Run it, also again where it was; it answers when this returns."""
        self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"

    def pull(self, lever: str, **body: Any) -> Any:
        answer = requests.post(f"{self.url}/_sim/{lever}", json=body, timeout=PATIENCE)
        answer.raise_for_status()
        return answer.json()

    def look(self, at: str, **params: str) -> Any:
        answer = requests.get(f"{self.url}/_sim/{at}", params=params, timeout=PATIENCE)
        answer.raise_for_status()
        return answer.json()

    def forget_faults(self) -> None:
        requests.delete(f"{self.url}/_sim/faults", timeout=PATIENCE).raise_for_status()

    def forget_payments(self) -> None:
        requests.delete(f"{self.url}/_sim/payments", timeout=PATIENCE).raise_for_status()

    def kill(self) -> None:
        """End it at once; one that has ended stays so."""
        self.process.kill()
        self.process.wait(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def running(module: str, *options: str) -> Iterator[Simulator]:
    """Run a simulator until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    simulator = Simulator(listen, [sys.executable, "-m", module, "--listen", listen, *options])
    try:
        yield simulator
    finally:
        simulator.kill()


class Receiver:
    """Our front door: keeps what is posted to it and answers what it is told to.

    Attributes:
        answer: the body for a callback.
    """

    def __init__(self) -> None:
        self.received: list[CallbackRequest] = []
        self.answer: Callable[[CallbackRequest], bytes] = lambda _: b"ok"
        self._refusals: dict[str, list[int]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        listen(self._server)

    def close(self) -> None:
        leave(self._server)

    def refuse(self, path: str, *statuses: int) -> None:
        """Answer what is posted to a path with these statuses first, one after the other."""
        self._refusals[path] = list(statuses)

    def _status(self, path: str) -> int:
        refusals = self._refusals.get(path)
        return refusals.pop(0) if refusals else 200

    def at(self, path: str) -> list[CallbackRequest]:
        return [callback for callback in self.received if callback.path == path]

    def wait_for(self, count: int, path: str) -> list[CallbackRequest]:
        """Return the callbacks at a path once there are as many."""
        until(lambda: len(self.at(path)) >= count)
        return self.at(path)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                path = urlsplit(self.path).path
                callback = CallbackRequest(headers, body, self.client_address[0], path)
                receiver.received.append(callback)
                self.send_response(receiver._status(path))
                self.end_headers()
                self.wfile.write(receiver.answer(callback))

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
