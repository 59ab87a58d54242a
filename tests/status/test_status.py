"""/health, /ready, /metrics: what load balancers and operators are told."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from protonpay.chains.registry import NETWORKS
from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.ledger import entries
from protonpay.ledger import service as ledger
from protonpay.status import readiness
from protonpay.status.blueprint import metrics_door
from protonpay.store import beats, outbox
from protonpay.store.db import db, transaction
from protonpay.store.jobs import QUEUES, TELEGRAM
from protonpay.store.queue import door
from protonpay.telegram import service as telegram
from protonpay.telegram.bot import Bot
from tests.conftest import PASSPHRASE
from tests.wallets import pools

TOKEN = "a token for the metrics"


@pytest.fixture
def everything_lives(house: Flask, keyring_path: Path) -> None:
    pools.fill(keyring_path, PASSPHRASE, 1)
    for queue in QUEUES:
        beats.beat(queue)
    now = clock.to_epoch_ms(clock.now()) // 1000
    for network in NETWORKS:
        beats.note_head(network, latest=10, small=9, finalized=8, finalized_at=now - 3)


def test_a_process_that_answers_is_alive_whatever_else_is_gone(client: FlaskClient, monkeypatch):
    monkeypatch.setattr(db.session, "execute", _gone)
    answer = client.get("/api/health")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})


@pytest.mark.usefixtures("everything_lives")
def test_ready_means_every_part(client: FlaskClient):
    answer = client.get("/api/ready")
    assert answer.status_code == 200
    body = answer.get_json()
    assert body["ready"] is True
    assert list(body["parts"]) == [
        "database",
        "redis",
        "migrations",
        "workers",
        "chains",
        "watches",
        "addresses",
    ]
    assert all(part["ok"] for part in body["parts"].values())


def parts_not_ready(client: FlaskClient) -> dict[str, str]:
    answer = client.get("/api/ready")
    body = answer.get_json()
    assert (answer.status_code, body["ready"]) == (503, False)
    return {name: part["detail"] for name, part in body["parts"].items() if not part["ok"]}


def _gone(*_args: object, **_kwargs: object) -> None:
    raise redis.ConnectionError("redis://secret@host is away")


def test_a_fresh_installation_waits_for_workers_and_chains(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
):
    late = parts_not_ready(client)
    assert set(late) == {"workers", "chains", "watches", "addresses"}
    silent = late["workers"].removeprefix("silent: ").split(", ")
    assert silent == [queue for queue in QUEUES if queue != TELEGRAM], "there is no bot"
    monkeypatch.setattr(telegram.line, "bot", Bot("http://127.0.0.1:9", "100500:nobodys"))
    assert TELEGRAM in parts_not_ready(client)["workers"]
    assert all(network in late["chains"] for network in NETWORKS)


@pytest.mark.usefixtures("everything_lives")
def test_a_queue_that_was_not_served_for_a_while_is_named(client: FlaskClient):
    with clock.frozen(clock.now() + timedelta(seconds=25)):
        for queue in QUEUES[1:]:
            beats.beat(queue)
        assert parts_not_ready(client) == {"workers": f"silent: {QUEUES[0]}"}


@pytest.mark.usefixtures("everything_lives")
def test_a_node_that_says_nothing_is_named(client: FlaskClient):
    with clock.frozen(clock.now() + timedelta(seconds=35)):
        for queue in QUEUES:
            beats.beat(queue)
        assert parts_not_ready(client) == {"chains": f"silent: {', '.join(NETWORKS)}"}


@pytest.mark.usefixtures("everything_lives")
def test_an_older_database_is_told(client: FlaskClient, monkeypatch):
    monkeypatch.setattr(readiness, "newest_migration", lambda: "9999")
    assert parts_not_ready(client)["migrations"].endswith("of 9999")


@pytest.mark.usefixtures("everything_lives")
def test_a_redis_that_is_away_is_told_without_its_address(client: FlaskClient, monkeypatch):
    monkeypatch.setattr(door.client, "ping", _gone)
    assert parts_not_ready(client) == {"redis": "ConnectionError"}


@pytest.fixture
def guarded() -> Iterator[None]:
    before = (metrics_door._token, metrics_door._open)
    metrics_door.bind(TOKEN, production=True)
    yield
    metrics_door._token, metrics_door._open = before


def test_a_sandbox_shows_its_metrics(client: FlaskClient):
    answer = client.get("/metrics")
    assert answer.status_code == 200
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {
        "protonpay_outbox_waiting",
        "protonpay_outbox_oldest_due_seconds",
        "protonpay_outbox_dead",
        "protonpay_queue_length",
        "protonpay_queue_silent_seconds",
        "protonpay_chain_finalized_lag_seconds",
        "protonpay_unswept_micro_usdc",
        "protonpay_sweeps_held",
    } <= names


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("header", [None, "", "Bearer", f"Bearer {TOKEN}x", TOKEN, "Bearer ключ"])
def test_with_a_token_set_nobody_else_reads_them(client: FlaskClient, header: str | None):
    given = {} if header is None else {"Authorization": header.encode().decode("latin-1")}
    assert client.get("/metrics", headers=given).status_code == 404


@pytest.mark.usefixtures("guarded")
def test_the_tokens_holder_reads_them(client: FlaskClient):
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200


def test_in_production_without_a_token_nobody_reads_them(client: FlaskClient):
    before = (metrics_door._token, metrics_door._open)
    metrics_door.bind(None, production=True)
    try:
        assert client.get("/metrics").status_code == 404
    finally:
        metrics_door._token, metrics_door._open = before


def test_the_backlog_is_counted(client: FlaskClient):
    with transaction():
        outbox.add("payouts.confirm", payout_id="c1", delay_seconds=60)
        outbox.add("payouts.confirm", payout_id="c2")
    families = {f.name: f for f in text_string_to_metric_families(client.get("/metrics").text)}
    waiting = {s.labels["job"]: s.value for s in families["protonpay_outbox_waiting"].samples}
    assert waiting["payouts.confirm"] == 2


def test_what_is_not_sealed_is_counted(client: FlaskClient):
    def shown() -> dict[str, float]:
        page = client.get("/metrics").text
        families = {f.name: f for f in text_string_to_metric_families(page)}
        names = ("protonpay_ledger_unsealed_entries", "protonpay_ledger_seal_lag_seconds")
        return {name: families[name].samples[0].value for name in names}

    before = shown()
    with transaction():
        ledger.post(entries.capital("unsealed", "Base", Usdc.parse("1")))
    after = shown()
    gained = {name: after[name] - before[name] for name in after}
    assert gained["protonpay_ledger_unsealed_entries"] == 1
    assert gained["protonpay_ledger_seal_lag_seconds"] >= 0
