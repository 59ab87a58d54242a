"""The embedded Postgres: made once, hard to kill, closed to strangers."""

import os
import shutil
import signal
import subprocess
import sys

import psycopg
import pytest

from protonpay.stack import orphans, ports, postgres
from protonpay.stack.failures import StackError, StartFailed
from protonpay.stack.postgres import Postgres
from tests.patience import until
from tests.stack.standins import lives

pytestmark = pytest.mark.slow  # real servers

PASSWORD = "one-password"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One cluster for all tests: what one leaves behind, the next recovers from."""
    place = tmp_path_factory.mktemp("services") / "pg"
    # Made here: which test comes first is not said.
    with server_in(place):
        return place


def server_in(folder, **settings):
    return Postgres(
        folder, **{"port": ports.free(), "password": PASSWORD, "durable": False} | settings
    )


def ask(url, statement="SELECT current_user"):
    with psycopg.connect(url, connect_timeout=2) as connection:
        return connection.execute(statement).fetchone()[0]


def test_it_answers_on_both_its_addresses(folder):
    with server_in(folder) as server:
        assert ask(server.url()) == "protonpay"
        assert ask(server.network_url()) == "protonpay"


def test_by_network_nobody_comes_in_without_the_password(folder):
    with server_in(folder) as server:
        strangers = (
            server.network_url().replace(PASSWORD, "guess"),
            f"postgresql://proton@127.0.0.1:{server.port}/postgres",
        )
        for url in strangers:
            with pytest.raises(psycopg.OperationalError, match="password"):
                ask(url)


def test_no_other_user_reaches_its_files_or_its_socket(folder):
    with server_in(folder) as server:
        assert server.data.stat().st_mode & 0o777 == 0o700
        assert server.sockets.stat().st_mode & 0o777 == 0o700


def test_our_role_makes_roles_and_is_no_superuser(folder):
    rights = "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = 'protonpay'"
    with server_in(folder) as server:
        assert server.query(rights) == [(False, True, False)]
        assert (
            ask(
                server.url(),
                "SELECT pg_catalog.pg_get_userbyid(datdba) FROM pg_database"
                " WHERE datname = 'protonpay'",
            )
            == "protonpay"
        )


def test_it_is_utf8_with_checksums_in_utc(folder):
    with server_in(folder) as server:
        wanted = {"server_encoding": "UTF8", "data_checksums": "on", "timezone": "UTC"}
        found = {name: ask(server.url(), f"SHOW {name}") for name in wanted}
        assert found == wanted


def test_only_tests_forget(folder):
    with server_in(folder, durable=True) as server:
        assert ask(server.url(), "SHOW fsync") == "on"
    with server_in(folder, durable=False) as server:
        assert ask(server.url(), "SHOW fsync") == "off"


def test_what_was_committed_is_there_after_a_kill(folder):
    server = server_in(folder, durable=True)
    server.start()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        server.kill()
    with server:
        assert ask(server.url(), "SELECT number FROM kept") == 7


def test_a_process_id_that_now_is_somebody_elses_does_not_stop_it(folder):
    server = server_in(folder)
    server.start()
    pid_file = server.data / "postmaster.pid"
    text = pid_file.read_text()
    server.kill()
    pid_file.write_text(text.replace(text.split("\n")[0], str(os.getpid()), 1))
    with server:
        assert ask(server.url()) == "protonpay"


def test_a_server_that_outlived_its_parent_is_ended_by_the_next(folder):
    script = (
        "import os, sys; from pathlib import Path\n"
        "from tests.stack.test_postgres import server_in\n"
        "server = server_in(Path(sys.argv[1])); server.start()\n"
        "print(server.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    parent = subprocess.run(
        [sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, check=False
    )
    assert parent.returncode == -signal.SIGKILL
    with server_in(folder) as server:
        assert not lives(int(parent.stdout))
        assert ask(server.url()) == "protonpay"


def test_it_dies_with_its_parent(folder):
    script = (
        "import sys; from pathlib import Path; from tests.stack.test_postgres import server_in\n"
        "server = server_in(Path(sys.argv[1])); server.start()\n"
        "print(server.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    pid = int(parent.stdout.readline())
    assert lives(pid)
    parent.kill()
    parent.communicate()
    until(lambda: not lives(pid), what="the end of the server")


def test_an_interrupted_making_is_made_again(tmp_path):
    # What a kill in the middle of initdb leaves: half a cluster under another name.
    half = tmp_path / "cluster" / "unfinished"
    half.mkdir(parents=True)
    half.joinpath("PG_VERSION").write_text("18\n")
    with server_in(tmp_path) as server:
        assert ask(server.url()) == "protonpay"
    assert not half.exists()


def test_a_making_that_is_killed_leaves_nothing_that_looks_ready(tmp_path):
    script = (
        "import sys; from pathlib import Path; from tests.stack.test_postgres import server_in\n"
        "server_in(Path(sys.argv[1])).start()"
    )
    maker = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "pg")])
    unfinished = tmp_path / "pg" / "cluster" / "unfinished"
    until(unfinished.exists, what="initdb")
    maker.kill()
    maker.wait()
    until(lambda: not orphans.working_in(unfinished), what="the end of initdb")
    assert not unfinished.with_name("data").exists()


def test_a_folder_belongs_to_one_server(folder):
    with server_in(folder), pytest.raises(StackError, match="another postgres of ours"):
        server_in(folder).start()


def test_a_cluster_of_another_version_is_not_touched(folder):
    version = folder / "cluster" / "data" / "PG_VERSION"
    here = version.read_text()
    version.write_text("12\n")
    with pytest.raises(StackError, match="was made by Postgres 12"):
        server_in(folder).start()
    version.write_text(here)
    with server_in(folder) as server:
        assert ask(server.url()) == "protonpay"


def test_a_start_that_fails_says_what_the_server_said(folder):
    server = server_in(folder)
    rules = server.data / "pg_hba.conf"
    text = rules.read_text()
    rules.write_text("nonsense\n")
    with pytest.raises(StartFailed, match="postgres ended with status 1") as failure:
        server.start()
    assert any("pg_hba.conf" in line for line in failure.value.said)
    rules.write_text(text)


def test_a_path_too_long_for_a_socket_has_its_socket_elsewhere(folder, tmp_path):
    deep = tmp_path.joinpath(*["a-long-name-of-a-folder"] * 5)
    deep.mkdir(parents=True)
    moved = folder.rename(deep / "pg")
    try:
        with server_in(moved) as server:
            assert len(os.fsencode(server.sockets / f".s.PGSQL.{server.port}")) <= 107
            assert ask(server.url()) == "protonpay"
        with server_in(moved) as again:
            assert again.sockets == server.sockets
        shutil.rmtree(server.sockets)
    finally:
        moved.rename(folder)


def test_an_address_survives_a_folder_with_a_space(folder, tmp_path):
    moved = folder.rename(tmp_path / "my files")
    try:
        with server_in(moved) as server:
            assert ask(server.url()) == "protonpay"
    finally:
        moved.rename(folder)


def test_a_database_is_copied_from_a_template_and_dropped_with_its_guests(folder):
    with server_in(folder) as server:
        with psycopg.connect(server.create_database("model"), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        copy = server.create_database("copy", template="model")
        with psycopg.connect(copy) as guest:
            assert guest.execute("SELECT number FROM kept").fetchone() == (7,)
            guest.commit()
            server.drop_database("copy")
            with pytest.raises(psycopg.OperationalError):
                guest.execute("SELECT 1")
        assert ask(server.url("model"), "SELECT number FROM kept") == 7


def test_a_server_for_tests_lasts_as_long_as_its_block(folder):
    with postgres.running(folder) as server:
        pid = server.pid
        assert ask(server.url()) == "protonpay"
    assert not lives(pid)
