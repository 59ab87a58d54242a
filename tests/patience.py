"""Waiting for what happens elsewhere: with a deadline, never for a fixed time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.1
_PAUSES_PER_ANSWER, _LONGEST_OF_THESE = 3, 1.0


def until(condition: Callable[[], T], seconds: float = 30, what: object = "it") -> T:
    """Ask until the answer is true, and return it; ``what`` is missed if it never is.

    It may be a function: what it says at the end.

    Who has waited long asks less often, and a question that takes long is followed by a pause three
    times as long: each takes time from those it waits for.
    """
    deadline, pause = time.monotonic() + seconds, _FIRST_PAUSE
    while True:
        asked = time.monotonic()
        if found := condition():
            return found
        told = time.monotonic()
        if told > deadline:
            raise AssertionError(f"{what() if callable(what) else what} did not happen in time")
        time.sleep(max(pause, min((told - asked) * _PAUSES_PER_ANSWER, _LONGEST_OF_THESE)))
        pause = min(pause * 1.5, _LONGEST_PAUSE)
