"""People who act for an account, and the account as they see it."""

from typing import Any

from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from protonpay.store.db import db, transaction
from tests.actors import Actor, make_actor
from tests.mail.letters import token_of, waiting


class For:
    """A person who sends ``X-Account`` with all they ask."""

    def __init__(self, person: Actor, account: Actor) -> None:
        self.person, self.account = person, account
        self.client = person.client

    def call(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        headers = {"X-Account": self.account.public_id, **kwargs.pop("headers", {})}
        return self.person.call(method, path, headers=headers, **kwargs)

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.call("GET", path, **kwargs)

    def post(self, path: str, body: Any = None, **kwargs: Any) -> TestResponse:
        return self.call("POST", path, json=body, **kwargs)


def verify(*actors: Actor) -> None:
    """Let the addresses be proved, as a letter does."""
    with transaction():
        for actor in actors:
            set_column(actor, "email_verified_at", "2026-01-01T00:00:00Z")


def set_column(actor: Actor, column: str, value: str | None) -> None:
    """Write a column of a person's row, as an operator or another room would."""
    db.session.execute(
        text(f"UPDATE users SET {column} = :value WHERE id = :id"),
        {"id": actor.id, "value": value},
    )
    db.session.commit()


def invite(owner: Any, email: str, role: str, **kwargs: Any) -> Any:
    """Invite somebody; return the invitation."""
    answer = owner.post("/client/team/invitations", {"email": email, "role": role}, **kwargs)
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()["invitation"]


def link_to(email: str) -> str:
    """Return the token of the newest invitation that waits in an address's mail."""
    letters = [each for each in waiting(email) if "/app/join" in each.text]
    return token_of(letters[-1])


def join(person: Actor, token: str) -> TestResponse:
    return person.post("/client/memberships", {"token": token})


def member(app: Flask, owner: Actor, role: str, name: str = "Max") -> For:
    """Make a person who has joined an account as something."""
    person = make_actor(app, name)
    verify(owner, person)
    invite(owner, person.email, role)
    answer = join(person, link_to(person.email))
    assert answer.status_code == 200, answer.get_json()
    return For(person, owner)


def id_of(owner: Any, person: Actor) -> str:
    """Return the id of somebody's membership in an account."""
    rows = owner.get("/client/team/members").get_json()["members"]
    (found,) = [row["id"] for row in rows if row["publicId"] == person.public_id]
    return str(found)
