"""Whom the servers run as, and how their files come within that user's reach."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from protonpay.stack import account as accounts
from protonpay.stack.account import Account
from protonpay.stack.failures import StackError

pytestmark = [
    pytest.mark.slow,  # programs run as other users
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else"),
]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def nobody():
    entry = pwd.getpwnam("nobody")
    return Account(f"{entry.pw_uid}:{entry.pw_gid}", entry.pw_uid, entry.pw_gid)


@pytest.fixture
def elsewhere(monkeypatch):
    folder = Path(tempfile.mkdtemp())  # not below pytest's folder, which is root's alone
    folder.chmod(0o755)
    monkeypatch.setattr(accounts, "ELSEWHERE", folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def closed(tmp_path):
    """A folder that only root may enter."""
    tmp_path.chmod(0o700)
    return tmp_path


def test_files_within_reach_stay_where_they_are(nobody, elsewhere):
    folder = nobody.lodge(elsewhere / "cluster")
    assert folder == elsewhere / "cluster"
    assert (folder.stat().st_uid, folder.stat().st_mode & 0o777) == (nobody.uid, 0o700)


def test_files_out_of_reach_live_elsewhere_and_are_found_again(nobody, elsewhere, closed):
    folder = nobody.lodge(closed / "cluster")
    assert folder.parent == elsewhere
    assert folder.stat().st_uid == nobody.uid
    assert (closed / "cluster").resolve() == folder
    assert nobody.lodge(closed / "cluster") == folder


def test_what_was_there_before_comes_along(nobody, elsewhere, closed):
    (closed / "cluster").mkdir()
    (closed / "cluster" / "PG_VERSION").write_text("18")
    moved = nobody.lodge(closed / "cluster") / "PG_VERSION"
    assert (moved.read_text(), moved.stat().st_uid) == ("18", nobody.uid)


def test_files_whose_place_was_cleaned_away_begin_anew(nobody, elsewhere, closed):
    first = nobody.lodge(closed / "run")
    first.rmdir()
    second = nobody.lodge(closed / "run")
    assert second.is_dir()
    assert second != first


def test_a_program_out_of_reach_is_copied_once(nobody, elsewhere, closed):
    program = closed / "tree" / "bin" / "hello"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    copy = nobody.program(closed / "tree", "bin/hello")
    assert copy.is_relative_to(elsewhere)
    assert nobody.may("-x", copy / "bin" / "hello")
    assert nobody.program(closed / "tree", "bin/hello") == copy


def test_a_program_within_reach_is_not_copied(nobody, elsewhere):
    assert nobody.program(Path("/bin"), "sh") == Path("/bin")


def test_without_namespaces_an_unprivileged_user_is_found(monkeypatch, tmp_path):
    monkeypatch.setattr(Account, "may", lambda account, *_: account.who != "mapped")
    assert accounts.choose(tmp_path).uid in {
        entry.pw_uid for entry in pwd.getpwall() if entry.pw_name in ("postgres", "nobody")
    }


def test_without_anybody_the_person_is_told_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(Account, "may", lambda *_: False)
    with pytest.raises(StackError, match="useradd"):
        accounts.choose(tmp_path)


def test_postgres_and_valkey_run_in_a_container_below_roots_own_folder(closed):
    script = (
        "import sys; from pathlib import Path; from protonpay.stack import postgres, valkey\n"
        "home = Path(sys.argv[1])\n"
        "with postgres.running(home / 'pg', durable=False) as one, valkey.running(home / 'vk'):\n"
        "    print(one.account.who, one.query('SELECT 7')[0][0], one.data.parent)\n"
        "    print((home / 'pg' / 'run').resolve(), (home / 'vk' / 'run').resolve())\n"
        "    print((home / 'vk' / 'data').resolve())\n"
    )
    run = [sys.executable, "-m", "tests.stack.contained", sys.executable, "-c", script]
    done = subprocess.run(
        [*run, str(closed)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    who, answer, *places = done.stdout.split()
    try:
        assert who not in ("self", "mapped")
        assert answer == "7"
        assert all(Path(place).is_relative_to(accounts.ELSEWHERE) for place in places)
    finally:
        for place in places:
            shutil.rmtree(place)
