"""`flask ops` and `flask users`: what operators type, and what they read."""

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import text

from protonpay.chains.registry import NETWORKS
from protonpay.kernel.money import Usdc
from protonpay.ledger import chart
from protonpay.ledger import service as ledger
from protonpay.store import outbox
from protonpay.store.db import db, transaction
from protonpay.store.jobs import QUEUES, rounds
from tests.actors import PASSWORD, Actor
from tests.committed import OpenHouse
from tests.unchanged import nothing_changes, only_changes


class Terminal:
    def __init__(self, app: Flask) -> None:
        self._runner = app.test_cli_runner()

    def __call__(self, *words: str) -> Result:
        db.session.commit()
        return self._runner.invoke(args=words)

    def says(self, *words: str) -> str:
        result = self(*words)
        assert result.exit_code == 0, result.output
        return result.output


@pytest.fixture
def flask(house: Flask) -> Terminal:
    return Terminal(house)


def test_sound_books_are_said_to_be_so(flask: Terminal, alice: Actor):
    said = flask.says("ops", "audit")
    assert "BROKEN" not in said
    assert "ok      all balances sum to zero" in said


def test_broken_books_are_an_error_with_the_rows_that_show_it(open_house: OpenHouse):
    with open_house.superuser() as above:
        above.execute(
            "UPDATE ledger_balances SET micro = micro + 1 WHERE account_id ="
            " (SELECT id FROM ledger_accounts WHERE address = 'revenue:fees')"
        )
    result = open_house.app.test_cli_runner().invoke(args=["ops", "audit"])
    assert result.exit_code == 1
    assert "BROKEN  balances equal postings" in result.output
    assert "revenue:fees:" in result.output


def test_any_account_can_be_looked_at(flask: Terminal, alice: Actor):
    assert flask.says("ops", "balance", chart.available(alice.id)) == "1000.00\n"
    assert flask("ops", "balance", "nobody:at:all").exit_code != 0


def test_queues_and_what_waits_behind_them(flask: Terminal):
    with transaction():
        outbox.add("payouts.sign", payout_id="c1")
    said = flask.says("ops", "queues")
    assert all(queue in said for queue in QUEUES)
    line = next(line for line in said.splitlines() if line.startswith("payouts.sign"))
    assert line.split()[1:3] == ["1", "1"]


def test_a_dead_row_is_listed_and_can_be_made_due_again(flask: Terminal):
    with transaction():
        outbox.add("payouts.sign", payout_id="c1")
    db.session.execute(
        text("UPDATE outbox SET dead_at = now(), failures = 9, last_error = 'the reason'")
    )
    (line,) = flask.says("ops", "dead").splitlines()
    row_id = line.split()[0]
    assert "payouts.sign" in line
    assert "the reason" in line
    assert flask.says("ops", "replay", row_id, "999999999") == "1 of 2 rows are due again.\n"
    assert flask.says("ops", "dead") == ""


def test_every_maintenance_job_is_listed_and_can_be_asked_for(flask: Terminal):
    said = flask.says("ops", "jobs")
    kinds = {name: network.by_account for name, network in NETWORKS.items()}
    for name, work in rounds(kinds).items():
        assert name in said
        assert f"queue {work.queue}" in flask.says("ops", "run", name)
    assert flask("ops", "run", "no.such.job").exit_code == 2


def test_sweeps_are_asked_for_and_seen(flask: Terminal):
    assert flask.says("ops", "sweep", "--network", "Base", "--everything") == "Base: asked for.\n"
    assert len(flask.says("ops", "sweep").splitlines()) == 3
    asked = db.session.scalars(text("SELECT args FROM outbox WHERE job = 'treasury.sign'")).all()
    assert {"network": "Base", "everything": 1} in asked
    assert {"network": "Solana", "everything": 0} in asked
    assert "lying" in flask.says("ops", "sweeps")
    with nothing_changes():
        assert flask("ops", "sweep", "--network", "Bitcoin").exit_code == 2


def test_the_houses_own_money_is_booked_once(flask: Terminal):
    words = ("ops", "book-capital", "--network", "Base", "--reference", "0xabc", "--amount")
    before = ledger.balance("equity:capital")
    flask.says(*words, "50000")
    assert "(stood already)" in flask.says(*words, "50000")
    assert ledger.balance("equity:capital") - before == Usdc.parse("50000")
    with nothing_changes():
        assert flask(*words, "50001").exit_code != 0, "another amount under the same reference"
        assert flask(*words, "-1").exit_code != 0
        assert flask(*words, "1.0000001").exit_code != 0


def test_an_account_is_found_stopped_and_let_go_on(flask: Terminal, alice: Actor):
    said = flask.says("users", "show", alice.email)
    assert alice.id in said
    assert "available 1000.00 USDC, held 0.00 USDC" in said

    assert "suspended, 1 sessions ended" in flask.says(
        "users", "suspend", alice.email, "--reason", "asked"
    )
    assert alice.get("/client/balance").status_code == 401
    credentials = {"email": alice.email, "password": PASSWORD}
    assert alice.client.post("/api/auth/login", json=credentials).status_code == 403

    flask.says("users", "reinstate", alice.email, "--reason", "asked")
    assert alice.client.post("/api/auth/login", json=credentials).status_code == 200


def test_nobody_is_nobody(flask: Terminal):
    with only_changes():
        for command in ("show", "suspend", "reinstate"):
            reason = () if command == "show" else ("--reason", "asked")
            result = flask("users", command, "nobody@example.com", *reason)
            assert result.exit_code == 1
            assert "Nobody has this address." in result.output


def test_rails_are_stopped_and_let_go_on_by_name(flask: Terminal):
    words = ("--reason", "a look", "--by", "olga")
    assert flask.says("ops", "payouts", "pause", "--network", "Base", *words) == "Base: paused.\n"
    with nothing_changes():
        said = flask.says("ops", "payouts", "pause", "--network", "Base", *words)
        assert said == "Base: paused already.\n"
        assert flask("ops", "payouts", "pause", "--network", "Base").exit_code == 2, "no reason"
        assert flask("ops", "payouts", "pause", "--network", "Bass", *words).exit_code == 2
        standing = flask.says("ops", "payouts", "status")
    assert "Base        PAUSED since" in standing
    assert "by olga: a look" in standing
    assert "Polygon     open" in standing
    assert "Base        paused   olga: a look" in flask.says("ops", "payouts", "changes")

    said = flask.says("ops", "payouts", "resume", *words)
    assert said == "Solana: open already.\nBase: open.\nPolygon: open already.\n"
    assert flask.says("ops", "cards", "pause", "--provider", "tap", *words) == "tap: paused.\n"
    assert "tap         PAUSED" in flask.says("ops", "cards", "status")
    assert flask.says("ops", "cards", "resume", "--provider", "tap", *words) == "tap: open.\n"
