"""Workers are tested on committed data, in real processes where a process is the point."""

from collections.abc import Iterator

import pytest

from tests.committed import open_house  # noqa: F401 - a fixture
from workers import job as jobs


@pytest.fixture
def own_jobs() -> Iterator[None]:
    """What a test registers is forgotten after it."""
    functions, rounds = dict(jobs.JOB_FUNCTIONS), dict(jobs.PERIODIC_FUNCTIONS)
    yield
    for registry, before in ((jobs.JOB_FUNCTIONS, functions), (jobs.PERIODIC_FUNCTIONS, rounds)):
        registry.clear()
        registry.update(before)
