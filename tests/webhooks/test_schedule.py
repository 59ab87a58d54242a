"""When a failed delivery is tried again."""

from datetime import timedelta

import pytest

from protonpay.webhooks.schedule import RETRY_SECONDS, is_last, wait
from protonpay.wire.outbound import Outcome


def failed(status: int | None = 500, code: str = "http_error", after: int | None = None) -> Outcome:
    return Outcome(
        delivered=False, status=status, code=code, head="", milliseconds=1, retry_after=after
    )


def waits(number: int, outcome: Outcome) -> set[float]:
    found = {wait(number, outcome) for _ in range(50)}
    return {each.total_seconds() for each in found if each is not None}


@pytest.mark.parametrize(("number", "seconds"), list(enumerate(RETRY_SECONDS, start=1)))
def test_jitter_only_adds_and_at_most_a_fifth(number: int, seconds: int):
    found = waits(number, failed())
    assert min(found) >= seconds
    assert max(found) <= seconds * 1.2
    assert len(found) > 5


def test_after_the_tenth_attempt_there_is_none():
    assert [is_last(number) for number in (9, 10)] == [False, True]
    assert wait(10, failed()) is None


@pytest.mark.parametrize(
    ("number", "outcome", "least"),
    [
        (1, failed(429), 60),
        (1, failed(502), 60),
        (1, failed(504), 60),
        (1, failed(None, "timeout"), 60),
        (1, failed(503), 5),
        (1, failed(None, "connect_error"), 5),
        (2, failed(429), 300),
        (1, failed(503, after=30), 30),
        (1, failed(503, after=3600), 60),
        (1, failed(503, after=1), 5),
        (2, failed(429, after=400), 400),
        (2, failed(429, after=10), 300),
        (2, failed(503, after=999_999_999), 600),
        (9, failed(503, after=999_999_999), 86_400),
    ],
)
def test_what_is_overloaded_is_given_time_and_no_more_than_it_may_ask_for(
    number: int, outcome: Outcome, least: int
):
    found = waits(number, outcome)
    assert least <= min(found) <= max(found) <= least * 1.2


def test_a_wish_of_a_day_and_more_stays_within_a_day_and_its_jitter():
    longest = wait(9, failed(429, after=10**8))
    assert longest is not None
    assert longest <= timedelta(seconds=86_400 * 1.2)
