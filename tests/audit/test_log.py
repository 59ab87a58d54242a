"""The log of operators' actions: with the act or not at all, in a chain that shows every gap."""

from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from protonpay.audit import service as audit
from protonpay.audit.service import Operator
from protonpay.kernel.errors import Conflict, Invalid
from protonpay.store.db import db, transaction
from protonpay.users import service as users
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse, open_house
from tests.unchanged import nothing_changes

__all__ = ["open_house"]

OLGA = Operator("olga", "terminal")


def run(house: Flask, *words: str) -> Any:
    return house.test_cli_runner().invoke(args=list(words))


def test_an_act_is_written_down_with_before_and_after(house: Flask, alice: Actor):
    words = ("users", "freeze", alice.email, "--reason", "she called")
    assert run(house, *words).exit_code == 0
    (entry,) = audit.entries(subject=f"user {alice.id}")
    assert (entry.number, entry.action, entry.reason) == (1, "users.freeze", "she called")
    assert entry.before["withdrawalsFrozenAt"] is None
    assert entry.after["withdrawalsFrozenAt"] is not None
    assert entry.before["standing"] == entry.after["standing"] == "ACTIVE"
    assert entry.origin == "terminal"
    shown = run(house, "ops", "audit-log", "--subject", f"user {alice.id}").output
    assert "users.freeze" in shown
    assert "withdrawalsFrozenAt: None → " in shown


@pytest.mark.parametrize(
    "words",
    [
        ("users", "suspend", "{email}"),
        ("users", "reinstate", "{email}"),
        ("users", "freeze", "{email}"),
        ("users", "thaw", "{email}"),
        ("users", "reset-2fa", "{email}"),
        ("users", "keep-2fa", "{email}"),
        ("ops", "payouts", "pause"),
        ("ops", "payouts", "resume"),
        ("ops", "cards", "pause"),
        ("ops", "holds", "release", "x"),
        ("ops", "holds", "refund", "x"),
        ("ops", "credit-deposit", "x"),
        ("ops", "close-deposit", "x"),
    ],
    ids=" ".join,
)
def test_nothing_is_done_without_a_reason(house: Flask, alice: Actor, words: tuple[str, ...]):
    named = [word.format(email=alice.email) for word in words]
    with nothing_changes():
        assert run(house, *named).exit_code == 2
        assert run(house, *named, "--reason", " ").exit_code == 1


def _freeze_and_refuse(actor: Actor) -> None:
    users.freeze(actor.id)
    raise Conflict("no", "No.")


def test_a_repetition_is_no_act(house: Flask, alice: Actor):
    words = ("users", "freeze", alice.email, "--reason", "again")
    run(house, *words)
    with nothing_changes():
        assert run(house, *words).exit_code == 0


def test_a_refused_act_leaves_no_entry(house: Flask, alice: Actor):
    with (
        nothing_changes(),
        pytest.raises(Conflict),
        audit.recorded(OLGA, "test", "nothing", "why"),
    ):
        _freeze_and_refuse(alice)
    assert users.get(alice.id).withdrawals_frozen_at is None


def test_what_has_several_commits_is_written_before_and_after(house: Flask):
    with audit.attempted(OLGA, "test.step", "nothing", "why"):
        outcomes = [entry.after["outcome"] for entry in audit.entries()]
        assert outcomes == ["begun"]
    with pytest.raises(Conflict), audit.attempted(OLGA, "test.step", "nothing", "why"):
        raise Conflict("state_conflict", "No.")
    newest_first = [entry.after["outcome"] for entry in audit.entries()]
    assert newest_first == ["state_conflict", "begun", "done", "begun"]


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\0b"])
def test_a_reason_is_a_reason(house: Flask, reason: str):
    with (
        nothing_changes(),
        pytest.raises(Invalid),
        audit.recorded(OLGA, "test", "nothing", reason),
    ):
        pytest.fail("it was done")


def test_an_empty_chain_and_a_whole_one_hold(house: Flask, alice: Actor):
    assert audit.check() == audit.Checked(0, audit.NOTHING, None)
    for command in ("freeze", "thaw", "freeze"):
        run(house, "users", command, alice.email, "--reason", "a")
    checked = audit.check()
    assert (checked.count, checked.broken_at) == (3, None)
    said = run(house, "ops", "audit-log", "--verify")
    assert said.exit_code == 0
    assert said.output == f"3 entries, head {checked.head.hex()}\n"


@pytest.mark.parametrize(
    ("harm", "broken_at"),
    [
        ("UPDATE audit_entries SET reason = 'other' WHERE number = 2", 2),
        ("UPDATE audit_entries SET after = '[1]' WHERE number = 3", 3),
        ("UPDATE audit_entries SET actor = 'nobody' WHERE number = 1", 1),
        ("DELETE FROM audit_entries WHERE number = 2", 2),
        ("UPDATE audit_entries SET number = number + 10 WHERE number = 3", 3),
    ],
)
def test_what_somebody_changes_behind_our_back_is_found(
    open_house: OpenHouse, harm: str, broken_at: int
):
    actor = make_actor(open_house.app, "Anna")
    for _ in range(3):
        with audit.recorded(OLGA, "test", f"user {actor.id}", "why", None):
            pass
    assert audit.check().broken_at is None
    with open_house.superuser() as root:
        root.execute("ALTER TABLE audit_entries DISABLE TRIGGER append_only")
        root.execute(harm)
    db.session.rollback()
    assert audit.check().broken_at == broken_at
    assert run(open_house.app, "ops", "audit-log", "--verify").exit_code == 1


@pytest.mark.parametrize(
    "harm", ["UPDATE audit_entries SET reason = 'x'", "DELETE FROM audit_entries"]
)
def test_the_database_refuses_to_change_or_remove_an_entry(open_house: OpenHouse, harm: str):
    with audit.recorded(OLGA, "test", "nothing", "why"):
        pass
    with pytest.raises(Exception, match="permission denied"), transaction() as session:
        session.execute(text(harm))
    with open_house.superuser() as root, pytest.raises(psycopg.Error, match="append-only"):
        root.execute(harm)


def test_many_at_once_make_one_chain(open_house: OpenHouse):
    def act() -> None:
        with audit.recorded(OLGA, "test", "nothing", "why"):
            pass

    assert open_house.inside_at_once([act] * 8) == [None] * 8
    checked = audit.check()
    assert (checked.count, checked.broken_at) == (8, None)
