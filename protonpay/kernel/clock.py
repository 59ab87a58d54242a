"""The only reader of the wall clock."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def _wall() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _wall


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return _source()


def to_text(moment: datetime) -> str:
    """Print a moment as the API does: UTC, whole seconds, ``Z``."""
    # Not strftime: it asks the C library, which costs a page of fifty lines half a millisecond.
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat() + "Z"


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
