"""The whole product under its supervisor: started, killed, started again, stopped."""

import contextlib
import http.client
import json
import os
import signal
import socket
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from protonpay.stack import orphans
from protonpay.stack.child import MARK
from tests.stack.test_up import Run

pytestmark = pytest.mark.slow  # everything, twice: half a minute

START_SECONDS = 120


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    yield folder
    for pid in orphans.marked(MARK, str(folder)):
        os.kill(pid, signal.SIGKILL)


def start(home, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return Run(home, "up", module="protonpay.stack", PORT="0").until_ready(START_SECONDS)


def call(url, method="GET", body=None):
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.netloc, timeout=10)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request(method, place.path or "/", body and json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def rpc(url, method):
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": []}
    return json.loads(call(url, "POST", body)[1])["result"]


def answers(facts):
    """Ask everything that stack.json speaks of; return what is to be the same the next time."""
    pages = [facts[name] for name in ("web", "health", "ready", "docs", "openapi")]
    pages += [facts["mail"], f"{facts['mail']}/messages", f"{facts['providers']['tap']}/_sim"]
    assert {url: call(url)[0] for url in pages} == dict.fromkeys(pages, 200)
    assert call(facts["portal"])[0] == 303, "who is not signed in is led to the door"
    assert rpc(facts["chains"]["Base"]["rpc"], "eth_chainId") == hex(8453)
    assert rpc(facts["chains"]["Polygon"]["rpc"], "eth_chainId") == hex(137)
    assert rpc(facts["chains"]["Solana"]["rpc"], "getHealth") == "ok"
    smtp = urlsplit(facts["smtp"])
    with socket.create_connection((smtp.hostname, smtp.port), timeout=5) as line:
        assert line.recv(3) == b"220"
    with redis.Redis.from_url(facts["redis"]) as queue:
        assert queue.ping()
    with psycopg.connect(facts["database"]) as database:
        users = database.execute("SELECT id, email FROM users ORDER BY id").fetchall()
    return users, facts["web"], facts["chains"], facts["demo"]


def test_everything_starts_survives_being_killed_and_stops(home, monkeypatch):
    first = start(home, monkeypatch)
    before = answers(first.facts)
    everybody = [first.process.pid, *orphans.marked(MARK, str(home))]
    for pid in everybody:
        with contextlib.suppress(ProcessLookupError):  # gone with a parent that was killed
            os.kill(pid, signal.SIGKILL)
    first.process.wait()

    second = start(home, monkeypatch)
    facts = second.facts
    assert answers(facts) == before
    assert call(f"{facts['api']}/auth/login", "POST", facts["demo"])[0] == 200
    assert second.end() == 0
    assert orphans.marked(MARK, str(home)) == []
    assert not (home / "stack.json").exists()
