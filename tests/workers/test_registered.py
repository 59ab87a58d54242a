"""The job table and the functions in workers/ name each other, both ways."""

import importlib
from collections.abc import Callable
from typing import Any

import pytest

from protonpay.store.jobs import JOBS, PERIODIC, QUEUES, Job, Periodic
from workers.job import JOB_FUNCTIONS, PERIODIC_FUNCTIONS


def _resolve(path: str) -> Callable[..., Any]:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize(("name", "job"), JOBS.items())
def test_every_job_of_the_table_is_a_registered_function(name: str, job: Job):
    assert _resolve(job.path).__wrapped__ is JOB_FUNCTIONS[name]


@pytest.mark.parametrize(("name", "work"), PERIODIC.items())
def test_every_round_of_the_table_is_a_registered_function(name: str, work: Periodic):
    assert _resolve(work.path).__wrapped__ is PERIODIC_FUNCTIONS[name]


def test_every_registered_function_is_in_the_table():
    for line in (*JOBS.values(), *PERIODIC.values()):
        _resolve(line.path)
    assert JOB_FUNCTIONS.keys() == JOBS.keys()
    assert PERIODIC_FUNCTIONS.keys() == PERIODIC.keys()


def test_every_line_of_the_table_has_a_queue_and_patience():
    for line in (*JOBS.values(), *PERIODIC.values()):
        assert line.queue in QUEUES
        assert line.timeout_seconds > 0
    assert all(job.retry_seconds for job in JOBS.values())
    assert {work.queue for work in PERIODIC.values()} == set(QUEUES)
