"""Callbacks on their way out: when each is due, what was tried, what we were answered."""

import heapq
import http.client
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

from protonpay.sandbox.cards.clock import Clock
from protonpay.sandbox.cards.store import Document, Store

_KIND = "callback"
_SECONDS = 10
_AT_ONCE = 32
_ANSWER_BYTES = 2000


@dataclass(frozen=True, slots=True)
class Message:
    """One request to make: the same bytes on every attempt."""

    payment: str
    url: str
    headers: Mapping[str, str]
    body: str
    delay_ms: int = 0


class Callbacks:
    """Sends messages from the background, keeps trying, and remembers every attempt.

    Args:
        retry_ms: pauses before the second, third … attempt; after the last it gives up.
        complaint: what is wrong with an answer, given the callback, the status and the body;
            empty if it counts as taken.
        told: called after each attempt with the payment, the number of the attempt and
            ``SUCCESS``, ``PENDING`` (will be tried again) or ``ERROR`` (given up).
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        retry_ms: tuple[int, ...],
        complaint: Callable[[Document, int, str], str],
        told: Callable[[str, int, str], None],
    ) -> None:
        self._store, self._clock = store, clock
        self._retry_ms, self._complaint, self._told = retry_ms, complaint, told
        self._due: list[tuple[int, str]] = []
        self._wake = threading.Condition()
        self._room = threading.BoundedSemaphore(_AT_ONCE)

    def start(self) -> None:
        """Begin to send, with what an earlier process left behind."""
        for kept in self._store.newest(_KIND, 1000):
            if kept["result"] == "PENDING":
                self._schedule(kept["due_ms"], kept["id"])
        threading.Thread(target=self._run, name="callbacks", daemon=True).start()

    def post(self, message: Message) -> None:
        """Send a message when its delay is over."""
        callback = self._written_down(message)
        self._schedule(callback["due_ms"], callback["id"])

    def post_now(self, message: Message) -> None:
        """Send a message before this returns: the first attempt, at least."""
        self._attempt(self._written_down(message)["id"])

    def of(self, payment: str | None) -> list[Document]:
        """Return the callbacks of a payment, or the latest of all, the newest first."""
        if payment is None:
            return self._store.newest(_KIND, 200)
        return self._store.find_by_key(_KIND, payment)

    def look_again(self) -> None:
        """Send what has become due because the clock was moved."""
        with self._wake:
            self._wake.notify()

    def _written_down(self, message: Message) -> Document:
        callback = {
            "id": f"cb_{secrets.token_hex(8)}",
            "payment": message.payment,
            "url": message.url,
            "headers": dict(message.headers),
            "body": message.body,
            "due_ms": self._clock.now_ms() + message.delay_ms,
            "result": "PENDING",
            "attempts": [],
        }
        self._store.save(_KIND, callback, message.payment)
        return callback

    def _schedule(self, due_ms: int, callback_id: str) -> None:
        with self._wake:
            heapq.heappush(self._due, (due_ms, callback_id))
            self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._due or self._due[0][0] > self._clock.now_ms():
                    self._wake.wait(self._until_next())
                _, callback_id = heapq.heappop(self._due)
            self._room.acquire()
            threading.Thread(target=self._attempt_in_turn, args=(callback_id,), daemon=True).start()

    def _until_next(self) -> float | None:
        if not self._due:
            return None
        return max(self._due[0][0] - self._clock.now_ms(), 1) / 1000

    def _attempt_in_turn(self, callback_id: str) -> None:
        try:
            self._attempt(callback_id)
        finally:
            self._room.release()

    def _attempt(self, callback_id: str) -> None:
        callback = self._store.find(_KIND, callback_id)
        if callback is None:
            return
        status, answer = _send(callback)
        complaint = "no answer" if status is None else self._complaint(callback, status, answer)
        attempts = callback["attempts"]
        attempts.append(
            {
                "at_ms": self._clock.now_ms(),
                "status": status,
                "answer": answer,
                "complaint": complaint,
            }
        )
        pauses = self._retry_ms[len(attempts) - 1 :]
        if not complaint:
            callback["result"] = "SUCCESS"
        elif pauses:
            callback["due_ms"] = self._clock.now_ms() + pauses[0]
        else:
            callback["result"] = "ERROR"
        self._store.save(_KIND, callback, callback["payment"])
        self._told(callback["payment"], len(attempts), callback["result"])
        if callback["result"] == "PENDING":
            self._schedule(callback["due_ms"], callback_id)


def _send(callback: Document) -> tuple[int | None, str]:
    url = urlsplit(callback["url"])
    secure = url.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    path = f"{url.path or '/'}{'?' + url.query if url.query else ''}"
    try:
        with closing(kind(url.hostname or "", url.port, timeout=_SECONDS)) as connection:
            connection.request("POST", path, callback["body"].encode(), callback["headers"])
            answer = connection.getresponse()
            return answer.status, answer.read(_ANSWER_BYTES).decode(errors="replace")
    except (OSError, ValueError, http.client.HTTPException) as error:
        return None, repr(error)
