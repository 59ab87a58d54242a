"""The supervisor, with shell scripts in the place of servers."""

import os
import re
import signal
import time

import pytest

from protonpay.stack.part import in_order
from tests.patience import until
from tests.stack.standins import LIVES, Little, lives

pytestmark = pytest.mark.slow  # real processes; each test is a few tenths of a second


@pytest.fixture
def little(tmp_path):
    return Little(tmp_path)


def test_parts_start_after_what_they_need_and_stop_before_it(little):
    little.add("one")
    little.add("two", needs=("one",))
    little.add("three", needs=("two",))
    assert little.run() == 0
    ups = ["one up", "two up", "three up"]
    assert little.diary == [*ups, "three down", "two down", "one down"]


def test_parts_that_do_not_need_each_other_start_side_by_side(little):
    # Each says it is ready only when it has seen the other.
    meet = "touch $0; until [ -e {other} ]; do sleep 0.01; done; " + LIVES.format(more="")
    little.add("left", meet.replace("{other}", "right"))
    little.add("right", meet.replace("{other}", "left"))
    assert little.run() == 0


def test_a_step_ends_before_what_needs_it_begins(little):
    little.add("tables", 'sleep 0.1; echo "$0 done" >>$DIARY', step=True)
    little.add("web", needs=("tables",))
    assert little.run() == 0
    assert little.diary == ["tables done", "web up", "web down"]


def test_a_step_that_is_done_is_left_out(little):
    little.add("tables", 'echo "$0 done" >>$DIARY', step=True, done=lambda: True)
    little.add("web", needs=("tables",))
    assert little.run() == 0
    assert little.diary == ["web up", "web down"]
    assert "tables" not in little.printed


def test_a_failure_shows_the_end_of_the_log_and_stops_the_rest(little):
    little.add("database")
    little.add("web", "echo before; echo the port is taken >&2; exit 3", needs=("database",))
    little.add("never", needs=("web",))
    assert little.run() == 1
    assert little.diary == ["database up", "database down"]
    assert "before\n" in little.printed
    assert "the port is taken\n" in little.printed
    assert "web ended with status 3" in little.printed


def test_a_failure_shows_nothing_of_an_earlier_run(little):
    little.logs.mkdir()
    little.logs.joinpath("web.log").write_text("an old story\n")
    little.add("web", "echo the new one; exit 1")
    assert little.run() == 1
    assert "the new one" in little.printed
    assert "an old story" not in little.printed


def test_a_program_that_does_not_exist_is_a_failure(little):
    little.add("web", "exec /no/such/program")
    assert little.run() == 1
    assert "/no/such/program" in little.printed


def test_a_part_that_is_never_ready_is_a_failure(little):
    little.add("web", "sleep 10", start_seconds=0.2)
    assert little.run() == 1
    assert "web was not ready in time" in little.printed


def test_a_step_that_never_ends_is_a_failure(little):
    little.add("tables", "sleep 10", step=True, start_seconds=0.2)
    assert little.run() == 1
    assert "tables did not end in time" in little.printed


def test_a_part_that_dies_is_started_again_with_a_visible_line(little):
    little.add("web", LIVES.format(more="echo $$ >pid; "))

    def kill(_):
        pid = little.logs.parent / "pid"
        os.kill(int(pid.read_text()), signal.SIGKILL)
        until(lambda: "is back" in little.printed, what="the restart")

    assert little.run(kill) == 0
    assert little.diary == ["web up", "web up", "web down"]
    assert "web was killed by SIGKILL; starts again in 0.5 s" in little.printed


def test_what_a_dead_part_had_started_dies_with_it(little):
    little.add("web", LIVES.format(more="sleep 600 & echo $! >child; echo $$ >pid; "))

    def kill(_):
        child, pid = ((little.logs.parent / name).read_text() for name in ("child", "pid"))
        os.kill(int(pid), signal.SIGKILL)
        until(lambda: "is back" in little.printed, what="the restart")
        assert not lives(int(child))

    assert little.run(kill) == 0


def test_a_part_that_ignores_the_signal_is_ended(little):
    little.add("deaf", "trap '' TERM; echo ready; while :; do sleep 1; done", grace_seconds=0.2)
    assert little.run() == 0
    assert "deaf takes too long to stop" in little.printed


def test_a_second_signal_ends_everything_at_once(little):
    little.add("deaf", "trap '' TERM; echo ready; while :; do sleep 1; done", grace_seconds=60)
    began = time.monotonic()

    def first(_):
        os.kill(os.getpid(), signal.SIGINT)  # the second comes when this returns

    little.run(first)
    assert time.monotonic() - began < 10


def test_a_stop_in_the_middle_of_the_start_is_a_clean_one(little):
    little.add("database")
    little.add("web", f"kill -INT {os.getpid()}; sleep 600", needs=("database",))
    assert little.run() == 0
    assert little.diary == ["database up", "database down"]


def test_no_child_inherits_the_signals_that_python_ignores(little):
    little.add("pipes", "grep SigIgn /proc/self/status; exit 1")
    assert little.run() == 1
    ignored = int(re.search(r"SigIgn:\s*([0-9a-f]+)", little.printed).group(1), 16)
    of_python = {signal.SIGPIPE, signal.SIGXFSZ}
    assert [number for number in of_python if ignored >> (number - 1) & 1] == []


def test_a_part_cannot_need_what_comes_later(little):
    little.add("web", needs=("database",))
    little.add("database")
    with pytest.raises(ValueError, match="database"):
        in_order(little.parts)
