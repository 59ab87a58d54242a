"""``up`` from outside: what a person and a script see of it, whatever is killed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import until
from tests.stack.standins import lives

pytestmark = pytest.mark.slow  # real processes

ROOT = Path(__file__).parents[2]


class Run:
    """One ``up``, by default of stand-ins."""

    def __init__(self, home, *options, module="tests.stack.little_up", **env):
        self.home = home
        self.printed = home.with_name(f"{home.name}.out")
        with self.printed.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, *options],
                cwd=ROOT,
                env=os.environ | {"PROTONPAY_HOME": str(home)} | env,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def facts(self):
        try:
            found = json.loads((self.home / "stack.json").read_text())
        except FileNotFoundError:
            return None
        return found if found["pid"] == self.process.pid else None

    def pid(self, name):
        # Whoever starts is about to write it.
        return int(until((self.home / name).read_text, what=f"the pid of {name}"))

    def until_ready(self, seconds=30):
        until(lambda: self.facts or self.process.poll() is not None, seconds, "readiness")
        assert self.facts, self.printed.read_text()
        return self

    def end(self, how=signal.SIGINT):
        self.process.send_signal(how)
        return self.process.wait(20)


@pytest.fixture
def start(tmp_path):
    runs = []

    def started(name="home", *options, **env):
        runs.append(Run(tmp_path / name, *options, **env))
        return runs[-1]

    yield started
    for run in runs:
        if run.process.poll() is None:
            run.end(signal.SIGKILL)
        if (run.home / "far").exists() and lives(run.pid("far")):
            os.kill(run.pid("far"), signal.SIGKILL)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_and_the_exit_is_clean(start, how):
    run = start().until_ready()
    pids = run.pid("web"), run.pid("far")
    assert all(lives(pid) for pid in pids)
    assert run.end(how) == 0
    assert not any(lives(pid) for pid in pids)


def test_stack_json_is_private_and_is_there_only_while_all_is_ready(start):
    run = start().until_ready()
    assert run.facts["web"].startswith("http://127.0.0.1:")
    assert (run.home / "stack.json").stat().st_mode & 0o777 == 0o600
    run.end()
    assert run.facts is None


def test_a_killed_supervisor_is_recovered_from_and_leaves_no_orphan(start):
    first = start().until_ready()
    web, far = first.pid("web"), first.pid("far")
    first.end(signal.SIGKILL)
    until(lambda: not lives(web), what="the end of the children")
    assert lives(far)  # in a session of its own: nobody told it
    second = start().until_ready()
    assert not lives(far)
    assert "an earlier run left processes behind" in second.printed.read_text()
    assert second.end() == 0


def test_a_supervisor_killed_while_it_starts_is_recovered_from(start):
    first = start()
    until((first.home / "valkey").exists, what="the first part")
    first.end(signal.SIGKILL)
    assert start().until_ready().end() == 0


def test_with_its_parent_killed_a_tied_one_stops_cleanly(tmp_path, start):
    home = tmp_path / "home"
    # As make does: a parent that waits for it, and is killed.
    parent = subprocess.Popen(
        ["/bin/sh", "-c", f"{sys.executable} -m tests.stack.little_up --tied; :"],
        cwd=ROOT,
        env=os.environ | {"PROTONPAY_HOME": str(home)},
        stdout=subprocess.DEVNULL,
    )
    until((home / "stack.json").exists, what="readiness")
    web = int((home / "web").read_text())
    parent.kill()
    parent.wait()
    # At once: the one that is stopping is waited for, not complained about.
    second = start().until_ready()
    assert not lives(web)
    assert second.end() == 0


def test_two_homes_run_side_by_side(start):
    one, two = start("one").until_ready(), start("two").until_ready()
    assert one.end() == 0
    assert lives(two.pid("web"))
    assert two.end() == 0


def test_a_home_belongs_to_one_supervisor(start):
    first = start().until_ready()
    second = start()
    assert second.process.wait(20) == 1
    assert f"A stack already runs in {first.home}: {first.facts['web']}" in (
        second.printed.read_text()
    )
    assert lives(first.pid("web"))
    assert first.end() == 0


def test_a_dead_part_is_back_while_the_rest_goes_on(start):
    run = start().until_ready()
    before = run.pid("web")
    os.kill(before, signal.SIGKILL)
    until(
        lambda: run.pid("web") != before and "is back" in run.printed.read_text(),
        what="the restart",
    )
    assert run.facts is not None
    assert run.end() == 0


def test_output_that_nobody_reads_any_more_does_not_stop_it(tmp_path):
    home = tmp_path / "home"
    run = subprocess.Popen(
        [sys.executable, "-m", "tests.stack.little_up"],
        cwd=ROOT,
        env=os.environ | {"PROTONPAY_HOME": str(home)},
        stdout=subprocess.PIPE,
    )
    run.stdout.close()
    until((home / "stack.json").exists, what="readiness")
    run.send_signal(signal.SIGINT)
    assert run.wait(20) == 0


def refused(tmp_path, **env):
    """Run the real ``up``, which is to refuse; return what it says."""
    clean = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-m", "protonpay.stack", "up"],
        cwd=ROOT,
        env=clean | {"PROTONPAY_HOME": str(tmp_path / "home")} | env,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == ""
    assert not (tmp_path / "home" / "stack.json").exists()
    return done.stdout


def test_a_taken_port_is_said_with_a_way_out(tmp_path, taken_port):
    said = refused(tmp_path, PORT=str(taken_port))
    assert f"Port {taken_port} is taken" in said
    assert "make up PORT=0" in said


def test_a_port_that_is_none_is_said(tmp_path):
    assert "PORT is a number" in refused(tmp_path, PORT="http")


def test_production_without_its_settings_is_refused_before_anything_starts(tmp_path):
    said = refused(tmp_path, DATABASE_URL="postgresql://u@127.0.0.1:1/db", PORT="0")
    assert "REDIS_URL not set" in said


def test_the_sandboxes_secrets_are_refused_in_production(tmp_path):
    assert "PUBLIC_URL must be https" in refused(tmp_path, PROTONPAY_ENV="production", PORT="0")
