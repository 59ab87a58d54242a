"""What can go wrong with the next calls of a simulated API, by order of a test.

A fault is a JSON object: ``fault`` says which, ``call`` which call it waits for (``create``,
``fetch``, … or ``*``), ``times`` how often it happens (1), and further members what it needs.
"""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from flask import Blueprint, Response, g, request

FAULTS = {
    "status": "answer with `status` (500) and do nothing",
    "html": "answer 502 with a page in HTML and do nothing",
    "hang": "wait `seconds` (60), then do nothing and say nothing",
    "reset": "reset the connection and do nothing",
    "accept_then_drop": "do what was asked and reset the connection",
    "truncate": "do what was asked and send half of the answer",
    "unreadable": "do what was asked and send something that is not JSON",
    "slow": "wait `seconds` (1), then go on as usual",
    "stale": "answer with the object as it was when it was created",
}
_MOST = 1000
_BEFORE = ("status", "html", "hang", "reset", "slow")

Fault = dict[str, Any]


class Faults:
    """The faults that wait for their call, in the order they were ordered."""

    def __init__(self, refusal: Callable[[int], Response]) -> None:
        self._refusal = refusal
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Order a fault.

        Raises:
            ValueError: there is no such fault, or too many wait already.
        """
        if fault.get("fault") not in FAULTS or len(self._waiting) >= _MOST:
            raise ValueError(f"fault is one of {', '.join(FAULTS)}")
        with self._lock:
            self._waiting.append({"call": "*", "times": 1, **fault})

    def waiting(self) -> list[Fault]:
        """Return the faults that have not happened yet."""
        with self._lock:
            return list(self._waiting)

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._waiting.clear()

    def guard(self, api: Blueprint) -> None:
        """Let faults happen to the calls of an API; a call's name is its endpoint's."""
        api.before_request(self._before)
        api.after_request(self._after)

    def _before(self) -> Response | None:
        call = (request.endpoint or "").rpartition(".")[2]
        g.fault = self._take(call)
        kind = g.fault.get("fault")
        if kind not in _BEFORE:
            return None
        # Read to its end: the server waits for a body that arrives after a broken answer.
        request.get_data()
        if kind == "status":
            return self._refusal(int(g.fault.get("status", 500)))
        if kind == "html":
            page = "<html><body><h1>502 Bad Gateway</h1></body></html>"
            return Response(page, 502, mimetype="text/html")
        if kind in ("hang", "slow"):
            time.sleep(float(g.fault.get("seconds", 60 if kind == "hang" else 1)))
        return None if kind == "slow" else _reset()

    def _after(self, response: Response) -> Response:
        kind = g.get("fault", {}).get("fault")
        if kind == "accept_then_drop":
            return _reset()
        if kind == "truncate":
            return _truncate(response)
        if kind == "unreadable":
            response.set_data(b"<<<" + response.get_data()[:40])
        return response

    def _take(self, call: str) -> Fault:
        with self._lock:
            for fault in self._waiting:
                if fault["call"] in ("*", call):
                    fault["times"] -= 1
                    if fault["times"] <= 0:
                        self._waiting.remove(fault)
                    return dict(fault)
        return {}


def _reset() -> Response:
    return Response(_broken_off(b""))


def _truncate(response: Response) -> Response:
    body = response.get_data()
    half = Response(_broken_off(body[: len(body) // 2]), mimetype=response.mimetype)
    half.content_length = len(body)
    return half


def _broken_off(sent: bytes) -> Iterator[bytes]:
    if sent:
        yield sent
    # The server takes this for the other side's end, and lets go of the connection.
    raise ConnectionResetError
