"""When a failed delivery is tried again (API reference §2.2)."""

import secrets
from datetime import timedelta

from protonpay.wire.outbound import Outcome

RETRY_SECONDS = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""The wait after each failed attempt: ten attempts within three days (Standard Webhooks)."""

_LARGEST_JITTER_PERCENT = 20
_BREATH_SECONDS = 60
_LONGEST_WISH_SECONDS = 86_400
_OVERLOADED = (429, 502, 504)


def is_last(number: int) -> bool:
    """Tell whether nothing follows an attempt that fails."""
    return number > len(RETRY_SECONDS)


def wait(number: int, outcome: Outcome) -> timedelta | None:
    """Return how long to wait after a failed attempt; None when it was the last.

    Jitter only adds: a delay is never shorter than promised. What is overloaded gets a minute at
    least. A receiver may ask for more (``Retry-After``), up to twice the delay or a minute.

    Args:
        number: of the attempt, from 1.
        outcome: how it went.
    """
    if is_last(number):
        return None
    seconds = RETRY_SECONDS[number - 1]
    if outcome.retry_after is not None:
        most = min(max(2 * seconds, _BREATH_SECONDS), _LONGEST_WISH_SECONDS)
        seconds = max(min(outcome.retry_after, most), seconds)
    if outcome.status in _OVERLOADED or outcome.code == "timeout":
        seconds = max(seconds, _BREATH_SECONDS)
    percent = 100 + secrets.randbelow(_LARGEST_JITTER_PERCENT + 1)
    return timedelta(milliseconds=seconds * percent * 10)
