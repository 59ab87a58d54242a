"""Logs: one JSON object per line, and no secret in any of them."""

import io
import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from protonpay.store.db import db, transaction
from protonpay.web import errors
from tests.actors import Actor

ROOT = Path(__file__).parents[2]
SECRET = "sk_live_0123456789abcdefghijkl"


def logged(program: str) -> list[dict]:
    """What a process of its own says on standard error."""
    program = f"from protonpay.telemetry import logs\n{program}"
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in ran.stderr.splitlines()]


@pytest.mark.parametrize(
    ("said", "member"),
    [
        (f"log.warning('said {SECRET} once')", "event"),
        (f"log.warning('said', deep={{'rows': [('{SECRET}',)]}})", "deep"),
        ("log.warning('said', body={'rawKey': 'abc', 'n': 1})", "body"),
        ("log.warning('said', password='hunter2')", "password"),
        ("log.warning('at postgresql://user:hunter2@host/db')", "event"),
        (f"logging.getLogger('theirs').warning('said %s', '{SECRET}')", "event"),
        (
            f"""
try:
    raise ValueError('{SECRET}')
except ValueError:
    log.exception('it broke')
""",
            "exception",
        ),
    ],
)
def test_secrets_are_taken_out_wherever_they_stand(said, member):
    (line,) = logged(
        f"import logging, structlog\nlogs.configure('INFO')\n"
        f"log = structlog.get_logger('ours')\n{said}"
    )
    assert "[redacted]" in json.dumps(line[member])
    assert not {"hunter2", "abc", SECRET} & set(json.dumps(line).replace('"', " ").split())
    assert SECRET not in json.dumps(line)
    assert "hunter2" not in json.dumps(line)
    assert line["level"] in {"warning", "error"}


def test_the_address_of_a_telegram_bot_is_not_logged():
    program = "logs.configure('INFO')\nimport structlog\n"
    token = "123456789:" + "aB3_-" * 7
    (line,) = logged(f"{program}structlog.get_logger('ours').error('url: /bot{token}/getMe 12:30')")
    assert line["event"] == "url: /bot[redacted]/getMe 12:30"


@pytest.mark.parametrize("order", ["wire.http, telemetry.logs", "telemetry.logs, wire.http"])
def test_addresses_that_are_called_are_not_logged(order):
    """urllib3 warns of bad headers with the whole address, which may hold a key."""
    first, second = order.split(", ")
    assert (
        logged(f"""
import importlib, logging
for name in ("{first}", "{second}"):
    module = importlib.import_module("protonpay." + name)
    getattr(module, "configure", bool)("DEBUG")
logging.getLogger("urllib3.connection").warning("http://node/secret-path")
""")
        == []
    )


def test_a_logger_that_has_spoken_is_heard_however_often_they_are_configured():
    heard = logged("""
import structlog
from structlog.testing import capture_logs
log = structlog.get_logger("ours")
for turn in ("first", "second"):
    logs.configure("WARNING")
    with capture_logs() as captured:
        log.warning(turn)
    log.error([line["event"] for line in captured])
""")
    assert [line["event"] for line in heard] == [["first"], ["second"]]


@pytest.mark.parametrize("change", ["role = NULL", "email_key = :taken"])
def test_no_value_of_a_row_that_the_database_refuses_is_logged(
    house: Flask, alice: Actor, bob: Actor, change: str
):
    """What broke is read by the names of columns; whose row it was is nobody's to read there."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.getLogger().handlers[0].formatter)
    logging.getLogger().addHandler(handler)
    try:
        told = {"id": bob.id, "taken": alice.email}
        with pytest.raises(IntegrityError) as refused, transaction():
            db.session.execute(text(f"UPDATE users SET {change} WHERE id = :id"), told)
        with house.test_request_context("/"):
            assert errors.unforeseen(refused.value).status_code == 500
    finally:
        logging.getLogger().removeHandler(handler)
    said = json.loads(written.getvalue())["exception"]
    assert "UPDATE users SET" in said
    assert change.partition(" ")[0] in said
    assert not re.search(f"{alice.email}|{bob.email}|argon2", said), said
