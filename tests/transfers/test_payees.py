"""POST /client/transfer/payee: who would be paid, told by a few letters."""

import unicodedata
from typing import Any

import pytest
from sqlalchemy import event, text

from protonpay.store.db import db
from protonpay.transfers import payees
from tests.actors import Actor
from tests.refusals import refused
from tests.unchanged import nothing_changes

NOBODY = "nobody@example.com"


def ask(actor: Actor, to: Any) -> Any:
    return actor.post("/client/transfer/payee", {"toIdentifier": to})


def told(actor: Actor, to: str) -> dict[str, Any]:
    """Ask who would be paid, which changes nothing."""
    with nothing_changes():
        answer = ask(actor, to)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    body: dict[str, Any] = answer.get_json()
    assert list(body) == ["payee"]
    return body["payee"]


def change(actor: Actor, assignment: str, **values: str) -> None:
    values["id"] = actor.id
    db.session.execute(text(f"UPDATE users SET {assignment} WHERE id = :id"), values)


def test_of_a_public_id_the_first_letters_are_told(alice: Actor, bob: Actor):
    assert told(alice, bob.public_id) == {"toIdentifier": bob.public_id, "name": "B…"}
    change(bob, "name = :name", name="Юлия Жанна Петрова")
    assert told(alice, bob.public_id)["name"] == "Ю… Ж…"
    change(bob, "name = :name", name="🎉")
    assert told(alice, bob.public_id) == {"toIdentifier": bob.public_id, "name": None}


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("Anna Petrova", "A… P…"),
        ("anna de la Cruz", "a… d…"),
        ("Юля", "Ю…"),
        ("A", "A…"),
        ("A B", "A… B…"),
        ("  Anna \t\u3000 Petrova\n", "A… P…"),
        ("(Anna) «Petrova»", "A… P…"),
        ("🎉 Anna - 👨‍👩‍👧‍👦 Petrova", "A… P…"),
        ("🎉Anna", "A…"),
        ("7-Eleven LLC", "7… L…"),
        ("1\ufe0f\u20e3 shop", "1… s…"),
        # An accent that is a character of its own, and a hundred of them.
        (unicodedata.normalize("NFD", "Élise Йорк"), "É… Й…"),
        ("m\u0302ary A" + "\u0301\u0316" * 50, "m… Á…"),
        (unicodedata.normalize("NFD", "김 민준"), "김… 민…"),
        ("की राम", "क… र…"),
        # Right to left; marks that turn the direction are not taken along.
        ("محمد علي", "م… ع…"),
        ("\u202eAnna \u200fPetrova", "A… P…"),
        *(
            (each, None)
            for each in ("", " ", "-", "🎉 👨‍👩‍👧‍👦", "\u202e", "\u0301\u0301", "… ...")
        ),
    ],
    ids=ascii,
)
def test_a_name_is_masked_to_two_letters(name: str, masked: str | None):
    assert payees.mask(name) == masked


def test_of_an_address_nothing_is_told(alice: Actor, bob: Actor):
    for to in (bob.email, bob.email.upper(), f" {bob.email}", NOBODY, "@"):
        assert told(alice, to) == {"toIdentifier": to, "name": None}
    change(bob, "standing = 'SUSPENDED'")
    assert told(alice, bob.email) == {"toIdentifier": bob.email, "name": None}


def test_an_address_with_an_account_costs_what_one_without_costs(alice: Actor, bob: Actor):
    """The database is asked the same, and of neither address."""
    asked: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        asked.append((statement, values))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        of_each = []
        for to in (bob.email, NOBODY):
            asked.clear()
            ask(alice, to)
            # Whether a switch is open is read every few seconds, whoever is asked about.
            of_each.append([said for said, _ in asked if "users" in said])
            assert to not in repr(asked)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert of_each[0] == of_each[1] != []


@pytest.mark.parametrize("to", ["PP-00000000", "PP-ILOU0000", "pp-7k3m9qwd", "bob", "%", " "])
def test_nobody_is_refused_as_the_transfer_refuses(alice: Actor, to: str):
    with nothing_changes():
        said = refused(ask(alice, to), 404, "recipient_not_found")
        sent = alice.post("/client/transfer", {"toIdentifier": to, "amount": 1})
        assert refused(sent, 404, "recipient_not_found")["detail"] == said["detail"]


def test_who_is_suspended_is_nobody(alice: Actor, bob: Actor):
    change(bob, "standing = 'SUSPENDED'")
    with nothing_changes():
        refused(ask(alice, bob.public_id), 404, "recipient_not_found")


def test_oneself_is_refused_as_the_transfer_refuses(alice: Actor):
    with nothing_changes():
        for to in (alice.public_id, alice.email, alice.email.upper()):
            refused(ask(alice, to), 400, "self_transfer")


@pytest.mark.parametrize(
    ("assignment", "code"),
    [
        ("standing = 'SUSPENDED'", "account_suspended"),
        ("withdrawals_frozen_at = now()", "withdrawals_frozen"),
    ],
)
def test_who_may_send_nothing_is_told_of_nobody(
    alice: Actor, bob: Actor, assignment: str, code: str
):
    change(alice, assignment)
    with nothing_changes():
        for to in (bob.public_id, bob.email, NOBODY, "PP-00000000"):
            refused(ask(alice, to), 403, code)


@pytest.mark.parametrize("to", [None, "", 1, [], {"$ne": ""}, "x" * 255, "a\0b"], ids=repr)
def test_an_identifier_is_text_of_a_sensible_length(alice: Actor, to: Any):
    with nothing_changes():
        body = refused(ask(alice, to), 400, "validation_error")
    assert list(body["errors"]["json"]) == ["toIdentifier"]
