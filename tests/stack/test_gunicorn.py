"""gunicorn under our settings, with an application of one line."""

import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from protonpay.stack import ports
from tests.patience import until

pytestmark = pytest.mark.slow  # a real server

ROOT = Path(__file__).parents[2]
APP = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode()]
"""


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


@pytest.fixture
def server(tmp_path, log):
    (tmp_path / "tiny.py").write_text(APP)
    port = ports.free()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "tiny:app"],
            cwd=ROOT,
            env=os.environ | {"PORT": str(port), "PYTHONPATH": str(tmp_path)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: not ports.is_free(port), what="listening")
        yield process, port
    finally:
        process.kill()
        process.wait()


def get(port, path="/", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def test_it_serves_and_does_not_say_its_version(server):
    _, port = server
    status, headers, body = get(port, "/hello")
    assert (status, body) == (200, b"/hello")
    assert headers["Server"] == "gunicorn"


def test_lines_and_headers_have_a_limit(server):
    _, port = server
    assert get(port, "/" + "x" * 5_000)[0] == 414
    assert get(port, Authorization="x" * 9_000)[0] == 431
    assert get(port, **{f"X-{number}": "x" for number in range(70)})[0] == 431


def test_it_logs_json_and_no_line_per_request(server, log):
    process, port = server
    get(port, "/not-in-the-log")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert events[0].startswith("Starting gunicorn")
    assert events[-1] == "Shutting down: Master"
    assert not any("not-in-the-log" in event for event in events)
