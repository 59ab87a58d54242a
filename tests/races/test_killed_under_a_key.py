"""A real web worker is killed at each step: all or nothing, then once."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import text

from protonpay.kernel.money import Usdc
from protonpay.ledger import audit
from protonpay.stack import ports
from protonpay.store.db import db
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse
from tests.flows import desk
from tests.patience import until
from tests.simulators import Simulator, running
from tests.unchanged import contents

pytestmark = pytest.mark.slow

KEY = "sk_test_PROTONPAYkilled"
WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"  # EIP-55's own example


@dataclass
class Web:
    """gunicorn with one worker, which it replaces when it dies."""

    url: str
    actor: Actor

    def post(self, path: str, body: Any, die: str = "") -> requests.Response:
        headers = {"Authorization": f"Bearer {self.actor.token}", "Idempotency-Key": "one"}
        if die:
            headers["X-Die"] = die
        return requests.post(f"{self.url}/api{path}", json=body, headers=headers, timeout=20)

    def dies(self, path: str, body: Any, die: str) -> None:
        """Ask for something that kills the worker, and wait for the next one."""
        with pytest.raises(requests.ConnectionError):
            self.post(path, body, die)
        until(self.lives, 60)

    def lives(self) -> bool:
        try:
            return requests.get(f"{self.url}/api/health", timeout=2).status_code == 200
        except requests.RequestException:
            return False


@pytest.fixture(scope="module")
def tap() -> Iterator[Simulator]:
    with running("protonpay.sandbox.tap", "--secret-key", KEY) as sim:
        yield sim


@pytest.fixture
def web(
    open_house: OpenHouse, settings: dict[str, str], tap: Simulator, tmp_path: Path
) -> Iterator[Web]:
    port = ports.free()
    environ = {
        **settings,
        "DATABASE_URL": open_house.url,
        "TAP_BASE_URL": f"{tap.url}/v2",
        "TAP_SECRET_KEY": KEY,
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
    }
    command = ("gunicorn", "-c", "gunicorn.conf.py", "tests.races.dying:app")
    process = desk.started(os.environ | environ, *command, log=tmp_path / "log")
    running_web = Web(f"http://127.0.0.1:{port}", make_actor(open_house.app, "Payer", funded="100"))
    try:
        until(running_web.lives, 60)
        yield running_web
    finally:
        # Until it has ended no transaction lies idle: that may take longer than one may.
        db.session.rollback()
        process.terminate()
        process.join(30)
        assert process.exitcode == 0


def _committed() -> Any:
    db.session.rollback()
    try:
        return contents()
    finally:
        # What comes next may take longer than a transaction may lie idle.
        db.session.rollback()


def _number(sql: str) -> int:
    db.session.rollback()
    try:
        return int(db.session.execute(text(sql)).scalar_one())
    finally:
        db.session.rollback()


def test_a_transfer_killed_before_its_commit_never_was_and_after_it_stands(
    open_house: OpenHouse, web: Web
):
    friend = make_actor(open_house.app, "Friend")
    body = {"toIdentifier": friend.public_id, "amount": 25}
    before = _committed()

    for moment in ("row written", "money moved", "answer kept"):
        web.dies("/client/transfer", body, moment)
        assert _committed() == before, moment
    web.dies("/client/transfer", body, "committed")
    assert _number("SELECT count(*) FROM transfers") == 1

    after = _committed()
    again = web.post("/client/transfer", body)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert again.json()["newBalance"] == "75.00"
    assert _committed() == after
    db.session.rollback()
    assert (web.actor.available, friend.available) == (Usdc.parse("75"), Usdc.parse("25"))
    assert audit.findings() == []


@pytest.mark.checklist(75)
def test_a_withdrawal_killed_between_debit_and_answer_is_one_or_none(web: Web):
    body = {"amount": 25, "walletAddress": WALLET, "network": "Base"}
    before = _committed()
    for moment in ("money moved", "answer kept"):
        web.dies("/client/withdraw", body, moment)
        assert _committed() == before, moment
    web.dies("/client/withdraw", body, "committed")

    after = _committed()
    again = web.post("/client/withdraw", body)

    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert _committed() == after
    assert _number("SELECT count(*) FROM payouts") == 1
    assert _number("SELECT count(*) FROM outbox WHERE job = 'payouts.sign'") == 1
    assert (web.actor.available, web.actor.held) == (Usdc.parse("74.95"), Usdc.parse("25.05"))
    assert audit.findings() == []


def test_killed_before_the_commit_a_retry_does_it(open_house: OpenHouse, web: Web):
    friend = make_actor(open_house.app, "Friend")
    body = {"toIdentifier": friend.public_id, "amount": 25}
    web.dies("/client/transfer", body, "answer kept")

    answer = web.post("/client/transfer", body)

    assert (answer.status_code, "Idempotent-Replayed" in answer.headers) == (200, False)
    assert friend.available == Usdc.parse("25")


@pytest.mark.checklist(68)
def test_a_card_session_killed_at_every_step_is_one_session(
    open_house: OpenHouse, web: Web, tap: Simulator
):
    order = {"amount": 100, "currency": "usd", "provider": "tap"}
    for moment in (
        *("deposit written", "provider asked", "answer noted", "page known"),
        "answer kept in steps",
    ):
        web.dies("/client/deposit/card", order, moment)
        waiting = web.post("/client/deposit/card", order)
        assert (waiting.status_code, waiting.json()["code"]) == (409, "idempotency_in_progress")
        _pass_the_time(open_house)
    web.dies("/client/deposit/card", order, "committed")

    again = web.post("/client/deposit/card", order)

    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert _number("SELECT count(*) FROM deposits") == 1
    deposit_id = again.json()["deposit"]["id"]
    sessions = [one for one in tap.look("payments") if deposit_id in str(one)]
    assert len(sessions) == 1
    assert sessions[0]["id"] in again.json()["url"]


def _pass_the_time(house: OpenHouse) -> None:
    """Let the dead holder's time pass."""
    with house.superuser() as connection:
        connection.execute(
            "UPDATE idempotency_keys SET locked_until = locked_until - interval '75 seconds'"
        )
