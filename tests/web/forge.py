"""Tokens like ours, and unlike ours in one respect."""

import base64
import hmac
import json
from typing import Any

import jwt
from werkzeug.test import TestResponse

from tests.actors import Actor
from tests.refusals import refused
from tests.unchanged import nothing_changes


def part(thing: Any) -> str:
    data = thing if isinstance(thing, bytes) else json.dumps(thing).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def sign(header: Any, claims: Any, key: str, digest: str = "sha256") -> str:
    signed = f"{part(header)}.{part(claims)}"
    signature = hmac.digest(key.encode(), signed.encode(), digest)
    return f"{signed}.{part(signature)}"


class Forge:
    """Makes tokens like ours, and unlike ours in one respect."""

    def __init__(self, token: str, key: str) -> None:
        self.key = key
        self.header = jwt.get_unverified_header(token)
        self.claims = jwt.decode(token, options={"verify_signature": False})

    def with_claims(self, *without: str, **changes: Any) -> str:
        claims = {k: v for k, v in (self.claims | changes).items() if k not in without}
        return sign(self.header, claims, self.key)

    def with_header(self, key: str | None = None, digest: str = "sha256", **changes: Any) -> str:
        return sign(self.header | changes, self.claims, key or self.key, digest)


def ask(actor: Actor, authorization: str | None) -> TestResponse:
    headers = {} if authorization is None else {"Authorization": authorization}
    return actor.client.get("/api/client/balance", headers=headers)


def refuses(actor: Actor, token: str, code: str = "invalid_token") -> None:
    with nothing_changes():
        refused(ask(actor, f"Bearer {token}"), 401, code)
