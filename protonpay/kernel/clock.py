"""The only reader of the wall clock."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)


def _wall() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _wall


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return _source()


def to_text(moment: datetime) -> str:
    """Print a moment as the API does: UTC, whole seconds, ``Z``."""
    # Not strftime: it asks the C library, which costs a page of fifty lines half a millisecond.
    return second(moment.astimezone(UTC)).replace(tzinfo=None).isoformat() + "Z"


def second(moment: datetime) -> datetime:
    """Return the whole second that a moment is in: its beginning."""
    return moment.replace(microsecond=0)


def from_text(text: str) -> datetime:
    """Read a moment as RFC 3339 writes it: any zone, down to the microsecond; the result is UTC.

    Raises:
        ValueError: not such a text, or no such moment.
    """
    if not _RFC3339.fullmatch(text):
        raise ValueError("not a moment of RFC 3339")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("no such moment") from error


def to_epoch_ms(moment: datetime) -> int:
    """Return whole milliseconds since 1970, rounded down and never through a float."""
    return (moment - _EPOCH) // _MILLISECOND


@contextmanager
def frozen(moment: datetime) -> Iterator[None]:
    """Hold the clock at a moment, for tests of what time does."""
    global _source  # noqa: PLW0603 - the one clock of the process is this module's state
    before, _source = _source, lambda: moment
    try:
        yield
    finally:
        _source = before
