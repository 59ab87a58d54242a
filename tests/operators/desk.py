"""Operators in the tests: added by the service, signed in over HTTP."""

import itertools
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from protonpay.operators import service
from protonpay.operators.service import Caller, Role
from tests.actors import PASSWORD

WHY = {"reason": "as they asked"}
_count = itertools.count(1)


@dataclass(frozen=True)
class Clerk:
    """An operator with a session."""

    client: FlaskClient
    id: str
    email: str
    role: Role
    token: str

    def call(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.client.open(f"/api/admin{path}", method=method, headers=headers, **kwargs)

    def get(self, path: str, **query: str) -> TestResponse:
        return self.call("GET", path, query_string=query)

    def post(self, path: str, body: Any = None) -> TestResponse:
        return self.call("POST", path, json=WHY if body is None else body)

    @property
    def caller(self) -> Caller:
        """As services see them."""
        return Caller(self.id, self.email, "Clerk", self.role, "the tests")


def make_clerk(app: Flask, role: Role, *, email: str | None = None) -> Clerk:
    """Add an operator, and sign them in."""
    email = email or f"{role}{next(_count)}@house.example"
    made = service.add(email=email, name="Clerk", role=role, password=PASSWORD)
    client = app.test_client()
    answer = sign_in(client, email)
    assert answer.status_code == 200, answer.get_json()
    body = answer.get_json()
    assert body["operator"]["role"] == role
    return Clerk(client, made.id, email, role, body["token"])


def sign_in(client: FlaskClient, email: str, password: str = PASSWORD, **code: str) -> TestResponse:
    return client.post("/api/admin/login", json={"email": email, "password": password, **code})
