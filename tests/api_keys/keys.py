"""Keys in the tests: made over HTTP, and sent like a token."""

from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.actors import Actor

Permissions = str | list[str]


@dataclass(frozen=True)
class Key:
    """A key, and whoever holds it."""

    client: FlaskClient
    id: str
    raw: str

    def call(
        self, method: str, path: str, *, address: str = "127.0.0.1", **kwargs: Any
    ) -> TestResponse:
        return self.client.open(
            f"/api{path}",
            method=method,
            headers={"Authorization": f"Bearer {self.raw}", **kwargs.pop("headers", {})},
            environ_overrides={"REMOTE_ADDR": address},
            **kwargs,
        )

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.call("GET", path, **kwargs)

    def post(self, path: str, body: Any = None, **kwargs: Any) -> TestResponse:
        return self.call("POST", path, json=body, **kwargs)


def create(owner: Actor, **order: Any) -> TestResponse:
    """Ask for a key."""
    return owner.post("/client/api-keys", {"name": "Production Key", **order})


def make_key(owner: Actor, permissions: Permissions = "full", **order: Any) -> Key:
    """Get a key."""
    answer = create(owner, permissions=permissions, **order)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    made = answer.get_json()["key"]
    return Key(owner.client, made["id"], made["rawKey"])


def revoke(owner: Actor, key_id: str) -> TestResponse:
    """Ask for the end of a key."""
    return owner.call("DELETE", f"/client/api-keys/{key_id}")


def row(owner: Actor, key: Key) -> dict[str, Any]:
    """What its owner sees of a key."""
    answer = owner.get(f"/client/api-keys/{key.id}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    shown: dict[str, Any] = answer.get_json()["key"]
    return shown


def bearer(owner: Actor, credential: str, path: str = "/client/balance") -> Any:
    """Ask with a credential, whatever it is."""
    headers = {"Authorization": f"Bearer {credential}"}
    return owner.client.get(f"/api{path}", headers=headers)
