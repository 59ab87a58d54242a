"""What a token must say, how long it lives, and what is remembered of it."""

import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any

import jwt
import pytest
from flask import Flask

from protonpay.kernel import clock
from protonpay.kernel.errors import Unauthenticated
from protonpay.store.queue import door
from protonpay.web import tokens
from protonpay.web.tokens import VerifiedTokens
from tests.actors import Actor
from tests.refusals import refused
from tests.unchanged import nothing_changes
from tests.web.forge import Forge, ask, part, refuses

DEEP = "[" * 2_900


@pytest.mark.checklist(13)
@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "jti", "sub", "type", "sid", "aud", "iss"])
def test_every_claim_is_required(alice: Actor, forge: Forge, name: str):
    """The library takes tokens without ``exp``, ``jti`` or ``type`` (library-pitfalls §3)."""
    refuses(alice, forge.with_claims(name))


@pytest.mark.checklist(13, 14)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("aud", "protonpay-refresh"),
        ("aud", "protonpay-mfa"),
        ("aud", ["protonpay-api"]),
        ("aud", ["protonpay-api", "protonpay-refresh"]),
        ("aud", "PROTONPAY-API"),
        ("aud", ""),
        ("aud", None),
        ("iss", "https://evil.example"),
        ("iss", "http://127.0.0.1:8000/"),
        ("iss", ["http://127.0.0.1:8000"]),
        ("iss", None),
        ("type", "refresh"),
        ("type", "mfa"),
        ("type", "ACCESS"),
        ("type", ""),
        ("type", None),
        ("type", ["access"]),
        ("sub", 1),
        ("sub", None),
        ("sub", ""),
        ("sub", ["cmaaaaaaaa"]),
        ("sub", {"id": 1}),
        ("jti", 1),
        ("jti", None),
        ("jti", ""),
        ("sid", None),
        ("sid", ""),
        ("sid", 7),
        ("iat", "1"),
        ("iat", 1.5),
        ("iat", None),
        ("iat", True),
        ("nbf", None),
        ("nbf", "1"),
        ("exp", None),
        ("exp", "9999999999"),
        ("exp", [1]),
        ("exp", 10**18),
        ("exp", 10**400),
        ("exp", float("inf")),
    ],
    ids=str,
)
def test_every_claim_has_one_meaning(alice: Actor, forge: Forge, name: str, value: Any):
    refuses(alice, forge.with_claims(**{name: value}))


@pytest.mark.checklist(14)
def test_a_life_is_as_long_as_documented_and_no_longer(alice: Actor, forge: Forge):
    now = int(time.time())
    within = forge.with_claims(iat=now, nbf=now, exp=now + 900)
    beyond = forge.with_claims(iat=now, nbf=now, exp=now + 901)

    assert ask(alice, f"Bearer {within}").status_code == 200
    refuses(alice, beyond)
    refuses(alice, forge.with_claims(iat=now - 86_400, nbf=now - 86_400, exp=now + 600))


@pytest.mark.checklist(5)
def test_an_expired_token_is_told_apart(alice: Actor, forge: Forge):
    now = int(time.time())
    refuses(alice, forge.with_claims(iat=now - 910, nbf=now - 910, exp=now - 10), "token_expired")


@pytest.mark.checklist(5)
def test_a_token_from_the_future_is_refused(alice: Actor, forge: Forge):
    now = int(time.time())
    refuses(alice, forge.with_claims(nbf=now + 30, exp=now + 900))
    refuses(alice, forge.with_claims(iat=now + 30, exp=now + 900))


def test_clocks_may_differ_by_a_few_seconds(alice: Actor, forge: Forge):
    now = int(time.time())
    ahead = forge.with_claims(iat=now + 3, nbf=now + 3, exp=now + 900)
    behind = forge.with_claims(iat=now - 898, nbf=now - 898, exp=now - 2)

    assert [ask(alice, f"Bearer {token}").status_code for token in (ahead, behind)] == [200, 200]


@pytest.mark.checklist(12)
def test_each_kind_of_token_opens_its_own_door(alice: Actor, forge: Forge):
    second_factor = forge.with_claims("sid", aud="protonpay-mfa", type="mfa")
    refuses(alice, second_factor)
    refuses(alice, forge.with_claims(aud="protonpay-mfa", type="mfa"))
    refused(ask(alice, f"Bearer {alice.refresh_token}"), 401, "invalid_token")
    with nothing_changes():
        answer = alice.client.post("/api/auth/refresh", json={"refreshToken": alice.token})
    refused(answer, 401, "invalid_token")


def test_a_token_of_a_session_that_postgres_does_not_know_is_refused(alice: Actor, forge: Forge):
    door.client.flushdb()

    refuses(alice, forge.with_claims(sid="cmaaaaaaaaaaaaaaaaaaaaaaa"), "token_revoked")


@pytest.mark.parametrize("size", [4_097, 8_000, 60_000])
def test_a_token_that_is_too_long_is_not_read(alice: Actor, forge: Forge, size: int):
    refuses(alice, forge.with_claims(amr=["x" * size])[:size])


@pytest.mark.parametrize("document", [DEEP, '{"a":' * 700, "[]", '"x"', "1", "null", "", "{"])
def test_parts_that_are_no_objects_are_refused(alice: Actor, forge: Forge, document: str):
    good = part(forge.header)
    refuses(alice, f"{part(document.encode())}.e30.x")
    signed = f"{good}.{part(document.encode())}"
    signature = hmac.digest(forge.key.encode(), signed.encode(), hashlib.sha256)
    refuses(alice, f"{signed}.{part(signature)}")


def test_a_verified_token_is_remembered_for_a_minute_and_never_past_its_end(house: Flask):
    known = VerifiedTokens()
    now = clock.to_epoch_ms(clock.now()) // 1000
    for name, life in (("long", 900), ("short", 20)):
        known.remember(name, tokens.Claims("u", "s", "t", now + life))

    for seconds, found in ((0, {"long", "short"}), (19, {"long", "short"}), (20, {"long"})):
        with _later(now + seconds):
            assert {name for name in ("long", "short") if known.find(name)} == found
    with _later(now + 60):
        assert known.find("long") is None


def test_the_memory_of_verified_tokens_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tokens, "_MOST_REMEMBERED", 3)
    known = VerifiedTokens()
    now = clock.to_epoch_ms(clock.now()) // 1000
    for number in range(4):
        known.remember(str(number), tokens.Claims("u", "s", "t", now + 900))

    assert [bool(known.find(str(number))) for number in range(4)] == [False, False, False, True]


def test_a_token_is_not_kept_as_it_is(house: Flask, alice: Actor):
    alice.get("/client/balance")

    assert alice.token not in repr(tokens.verified._known)


def test_two_keys_verify_and_the_first_signs(settings: Mapping[str, str], alice: Actor):
    app = Flask("rotated")
    old, new = settings["SECRET_KEY"], "a newer secret key, long enough for HS256 as well"
    try:
        tokens.init_app(app, secret_keys=(new, old), issuer=settings["PUBLIC_URL"])
        with app.app_context():
            assert tokens.read_access(alice.token).user_id == alice.id
            newer = tokens.issue_access(alice.id, "cmaaaaaaaa")
            assert jwt.get_unverified_header(newer)["kid"] != Forge(alice.token, old).header["kid"]
            assert tokens.read_access(newer).session_id == "cmaaaaaaaa"
        tokens.init_app(app, secret_keys=(old,), issuer=settings["PUBLIC_URL"])
        tokens.verified._known.clear()
        with app.app_context(), pytest.raises(Unauthenticated, match="invalid_token"):
            tokens.read_access(newer)
    finally:
        tokens.init_app(app, secret_keys=(old,), issuer=settings["PUBLIC_URL"])


def _later(epoch_seconds: int):
    return clock.frozen(clock._EPOCH + clock._MILLISECOND * 1000 * epoch_seconds)
