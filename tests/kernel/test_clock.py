"""The one clock, and holding it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protonpay.kernel import clock

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_the_clock_runs_and_is_aware_and_in_utc():
    first, second = clock.now(), clock.now()
    assert first.utcoffset() == timedelta(0)
    assert first <= second


def test_a_frozen_clock_stands_and_goes_on_afterwards():
    with clock.frozen(NOON):
        assert (clock.now(), clock.now()) == (NOON, NOON)
        with clock.frozen(NOON + timedelta(days=1)):
            assert clock.now() == NOON + timedelta(days=1)
        assert clock.now() == NOON
    assert clock.now() != NOON


def test_the_clock_goes_on_after_a_failure_too():
    with pytest.raises(LookupError), clock.frozen(NOON):
        raise LookupError
    assert clock.now() != NOON


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOON, "2026-03-14T12:00:00Z"),
        (NOON.replace(microsecond=999_999), "2026-03-14T12:00:00Z"),
        (datetime(2026, 3, 14, 16, tzinfo=timezone(timedelta(hours=4))), "2026-03-14T12:00:00Z"),
    ],
)
def test_a_moment_is_printed_in_utc_to_the_second(moment: datetime, text: str):
    assert clock.to_text(moment) == text


@settings(deadline=None)
@given(st.integers(0, 4 * 10**12), st.integers(0, 999))
@example(1_084_982_125_988, 0)  # a float's thousandfold is 1084982125987.9999
def test_milliseconds_are_whole_and_never_one_too_few(milliseconds: int, microseconds: int):
    since = timedelta(milliseconds=milliseconds, microseconds=microseconds)
    assert clock.to_epoch_ms(EPOCH + since) == milliseconds


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-14T12:00:00Z", NOON),
        ("2026-03-14t12:00:00z", NOON),
        ("2026-03-14T14:30:00+02:30", NOON),
        ("2026-03-14T11:59:59.9-00:00", NOON - timedelta(milliseconds=100)),
        ("2026-03-14T12:00:00.000001Z", NOON + timedelta(microseconds=1)),
    ],
)
def test_a_moment_is_read_as_rfc_3339_writes_it(text: str, moment: datetime):
    assert clock.from_text(text) == moment
    assert clock.from_text(text).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-03-14",
        "20260314T120000Z",
        "2026-03-14 12:00:00Z",
        "2026-03-14T12:00:00",
        "2026-03-14T12:00Z",
        "2026-03-14T12:00:00.0000001Z",
        "2026-02-29T12:00:00Z",
        "2026-03-14T24:00:01Z",
        "2026-03-14T12:00:60Z",
        "2026-03-14T12:00:00+25:00",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "\u0662026-03-14T12:00:00Z",
        "2026-03-14T12:00:00Z\n",
    ],
)
def test_what_is_no_moment_is_refused(text: str):
    with pytest.raises(ValueError, match="moment"):
        clock.from_text(text)
