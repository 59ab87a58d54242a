"""People in the tests, who speak HTTP like any client."""

import itertools
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from protonpay.kernel.money import Usdc
from protonpay.ledger import chart, entries
from protonpay.ledger import service as ledger
from protonpay.store.db import transaction

PASSWORD = "correct horse battery staple"
_count = itertools.count(1)


@dataclass(frozen=True)
class Actor:
    """A registered user with a session."""

    client: FlaskClient
    id: str
    public_id: str
    email: str
    token: str
    refresh_token: str

    def call(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **kwargs.pop("headers", {})}
        return self.client.open(f"/api{path}", method=method, headers=headers, **kwargs)

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.call("GET", path, **kwargs)

    def post(self, path: str, body: Any = None, **kwargs: Any) -> TestResponse:
        return self.call("POST", path, json=body, **kwargs)

    @property
    def available(self) -> Usdc:
        return ledger.balance(chart.available(self.id))

    @property
    def held(self) -> Usdc:
        return ledger.balance(chart.held(self.id))


def make_actor(app: Flask, name: str, *, funded: str | None = None) -> Actor:
    """Register a user over HTTP, and give them some of the house's USDC."""
    client, number = app.test_client(), next(_count)
    email = f"{name.lower()}{number}@example.com"
    answer = client.post(
        "/api/auth/register", json={"name": name, "email": email, "password": PASSWORD}
    )
    assert answer.status_code == 200, answer.get_data(as_text=True)
    body = answer.get_json()
    user = body["user"]
    actor = Actor(client, user["id"], user["publicId"], email, body["token"], body["refreshToken"])
    if funded is not None:
        amount = Usdc.parse(funded)
        with transaction():
            ledger.post(entries.capital(f"test:{user['id']}", "Solana", amount))
            ledger.post(entries.gift(f"test:{user['id']}", user["id"], amount))
    return actor
