"""Which tokens open a door: ours, unaltered, of the right kind, and for as long as documented."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask
from werkzeug.test import TestResponse

from protonpay.kernel import clock
from protonpay.kernel.errors import Unauthenticated
from protonpay.store.queue import door
from protonpay.web import tokens
from protonpay.web.tokens import VerifiedTokens
from tests.actors import Actor
from tests.raw_server import answering, http
from tests.refusals import refused
from tests.unchanged import nothing_changes

DEEP = "[" * 2_900


def _part(thing: Any) -> str:
    data = thing if isinstance(thing, bytes) else json.dumps(thing).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _sign(header: Any, claims: Any, key: str, digest: str = "sha256") -> str:
    signed = f"{_part(header)}.{_part(claims)}"
    signature = hmac.digest(key.encode(), signed.encode(), digest)
    return f"{signed}.{_part(signature)}"


class Forge:
    """Makes tokens like ours, and unlike ours in one respect."""

    def __init__(self, token: str, key: str) -> None:
        self.key = key
        self.header = jwt.get_unverified_header(token)
        self.claims = jwt.decode(token, options={"verify_signature": False})

    def with_claims(self, *without: str, **changes: Any) -> str:
        claims = {k: v for k, v in (self.claims | changes).items() if k not in without}
        return _sign(self.header, claims, self.key)

    def with_header(self, key: str | None = None, digest: str = "sha256", **changes: Any) -> str:
        return _sign(self.header | changes, self.claims, key or self.key, digest)


@pytest.fixture
def forge(alice: Actor, settings: Mapping[str, str]) -> Forge:
    return Forge(alice.token, settings["SECRET_KEY"])


@pytest.fixture
def forge_refresh(alice: Actor, settings: Mapping[str, str]) -> Forge:
    return Forge(alice.refresh_token, settings["SECRET_KEY"])


def _ask(actor: Actor, authorization: str | None) -> TestResponse:
    headers = {} if authorization is None else {"Authorization": authorization}
    return actor.client.get("/api/client/balance", headers=headers)


def _refuses(actor: Actor, token: str, code: str = "invalid_token") -> None:
    with nothing_changes():
        refused(_ask(actor, f"Bearer {token}"), 401, code)


def test_the_claims_are_the_documented_ones(alice: Actor, forge: Forge, forge_refresh: Forge):
    assert alice.token.startswith("eyJhbGciOiJIUzI1NiIs")
    assert set(forge.header) == {"alg", "typ", "kid"}
    access, refresh = forge.claims, forge_refresh.claims
    common = {"iss", "aud", "sub", "type", "jti", "iat", "nbf", "exp", "sid"}
    assert set(access) - {"amr", "fresh"} == common
    assert set(refresh) - {"fresh"} == common
    assert (access["iss"], access["aud"]) == ("http://127.0.0.1:8000", "protonpay-api")
    assert (refresh["iss"], refresh["aud"]) == ("http://127.0.0.1:8000", "protonpay-refresh")
    assert (access["type"], refresh["type"]) == ("access", "refresh")
    assert access["sub"] == refresh["sub"] == alice.id
    assert access["sid"] == refresh["sid"]
    assert access["exp"] - access["iat"] == 15 * 60
    assert refresh["exp"] - refresh["iat"] == 7 * 24 * 3600
    assert access["amr"] == ["pwd"]


def test_the_forge_makes_good_tokens(alice: Actor, forge: Forge):
    assert _ask(alice, f"Bearer {forge.with_claims()}").status_code == 200


@pytest.mark.checklist(4)
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_read_in_any_case(alice: Actor, scheme: str):
    """RFC 9110 §11.1; Flask-JWT-Extended compares it exactly (library-pitfalls §3)."""
    assert _ask(alice, f"{scheme} {alice.token}").status_code == 200


@pytest.mark.checklist(1)
@pytest.mark.parametrize("authorization", [None, ""])
def test_without_credentials_it_asks_for_them(alice: Actor, authorization: str | None):
    refused(_ask(alice, authorization), 401, "authentication_required")


@pytest.mark.checklist(2, 3)
@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer ",
        "Bearer  ",
        "Bearer a b",
        "Bearer é",
        "Bearer x",
        "Bearer ..",
        "Bearer a.b.c",
        "Bearer e30.e30.e30",
        "Bearer null",
        "Basic YWxpY2U6c2VzYW1l",
        "Digest x",
        "JWT {token}",
        "JWT {token}, Bearer {token}",
        "Bearer {token}, Bearer {token}",
        "Bearer {token} ",
        " Bearer {token}",
        "Bearer\t{token}",
        "Bearer={token}",
        "Token {token}",
        "{token}",
        "Bearer {token}.",
        "Bearer .{token}",
        "Bearer {token}=",
        "Bearer {token}!",
        "Bearer {token}==",
        "Bearer {token}\u00a0",
    ],
)
def test_any_other_header_is_401(alice: Actor, authorization: str):
    sent = authorization.replace("{token}", alice.token)
    # As an environment: the header's surroundings must arrive as they are.
    answer = alice.client.get(
        "/api/client/balance",
        environ_overrides={"HTTP_AUTHORIZATION": sent.encode().decode("latin-1")},
    )
    refused(answer, 401, "invalid_token")


@pytest.mark.checklist(15)
def test_a_token_is_read_from_the_header_and_from_nowhere_else(alice: Actor):
    for name in ("token", "jwt", "access_token"):
        answer = alice.client.get("/api/client/balance", query_string={name: alice.token})
        refused(answer, 401, "authentication_required")
        alice.client.set_cookie(name, alice.token)
    alice.client.set_cookie("access_token_cookie", alice.token)
    refused(_ask(alice, None), 401, "authentication_required")
    body = alice.client.post("/api/client/transfer", json={"token": alice.token})
    refused(body, 401, "authentication_required")


@pytest.mark.checklist(6)
@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, 0, [], {}])
def test_an_unsigned_token_is_nothing(alice: Actor, forge: Forge, algorithm: Any):
    header, claims = _part(forge.header | {"alg": algorithm}), _part(forge.claims)
    signature = alice.token.rpartition(".")[2]

    for token in (f"{header}.{claims}.", f"{header}.{claims}", f"{header}.{claims}.{signature}"):
        _refuses(alice, token)


@pytest.mark.checklist(7)
@pytest.mark.parametrize("digest", ["sha384", "sha512"])
def test_another_algorithm_is_refused_even_with_our_key(alice: Actor, forge: Forge, digest: str):
    _refuses(alice, forge.with_header(digest=digest, alg=f"HS{digest[3:]}"))
    _refuses(alice, forge.with_header(digest=digest))


@pytest.mark.checklist(7)
def test_a_public_key_is_no_secret_and_a_private_one_is_not_ours(alice: Actor, forge: Forge):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for algorithm in ("RS256", "PS256"):
        _refuses(
            alice,
            jwt.encode(forge.claims, private, algorithm, headers=forge.header | {"alg": algorithm}),
        )


@pytest.mark.checklist(8)
def test_another_key_is_refused(alice: Actor, forge: Forge):
    for key in ("another secret key, also long enough for HS256", " ", forge.key + "x"):
        _refuses(alice, forge.with_header(key=key))


@pytest.mark.checklist(8)
def test_no_flipped_bit_passes(alice: Actor):
    head, payload, signature = alice.token.split(".")
    raw = base64.urlsafe_b64decode(signature + "=")
    for position in range(0, len(raw), 4):
        for bit in (1, 128):
            bent = bytearray(raw)
            bent[position] ^= bit
            _refuses(alice, f"{head}.{payload}.{_part(bytes(bent))}")
    for cut in (1, 2, 20, len(signature)):
        _refuses(alice, f"{head}.{payload}.{signature[:-cut]}")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    _refuses(alice, f"{head}.{_part(claims | {'sub': 'cmaaaaaaaa'})}.{signature}")
    _refuses(alice, f"{head}.{payload}.{signature}.{signature}")


@pytest.mark.checklist(9)
@pytest.mark.parametrize(
    "kid",
    [
        None,
        "",
        "../../dev/null",
        "/dev/null",
        "' OR 1=1--",
        "0" * 16,
        "x" * 1_000,
        "x" * 10_000,
        "https://evil.example/key",
        ["a"],
        {"a": 1},
        1,
        True,
    ],
    ids=str,
)
def test_a_key_is_chosen_from_our_ring_only(alice: Actor, forge: Forge, kid: Any):
    _refuses(alice, forge.with_header(kid=kid))


@pytest.mark.checklist(9)
def test_a_key_that_kid_could_lead_to_does_not_verify(alice: Actor, forge: Forge):
    for kid, key in (("../../dev/null", "\0"), ("", "x"), ("secret", "secret")):
        _refuses(alice, forge.with_header(kid=kid, key=key))


@pytest.mark.checklist(11)
@pytest.mark.parametrize(
    "extra",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": None, "b64": False},
    ],
    ids=str,
)
def test_a_critical_header_is_not_understood(alice: Actor, forge: Forge, extra: dict[str, Any]):
    _refuses(alice, forge.with_header(**extra))


@pytest.mark.checklist(10)
def test_a_key_in_the_token_is_not_used(alice: Actor, forge: Forge):
    """``jku``, ``x5u`` and ``jwk`` name a key of the caller's choice: nobody looks at them."""
    key = "a key of the attacker's, long enough for HS256"
    jwk = {"kty": "oct", "k": _part(key.encode()), "alg": "HS256"}
    with answering(http(json.dumps({"keys": [jwk]}).encode())) as theirs:
        for extra in ({"jwk": jwk}, {"jku": f"{theirs.url}/keys"}, {"x5u": theirs.url}):
            _refuses(alice, forge.with_header(key=key, **extra))
            assert _ask(alice, f"Bearer {forge.with_header(**extra)}").status_code == 200
        assert theirs.requests == []


def test_a_header_without_a_kid_is_not_ours(alice: Actor, forge: Forge):
    header = {name: value for name, value in forge.header.items() if name != "kid"}
    _refuses(alice, _sign(header, forge.claims, forge.key))


@pytest.mark.checklist(13)
@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "jti", "sub", "type", "sid", "aud", "iss"])
def test_every_claim_is_required(alice: Actor, forge: Forge, name: str):
    """The library takes tokens without ``exp``, ``jti`` or ``type`` (library-pitfalls §3)."""
    _refuses(alice, forge.with_claims(name))


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
    _refuses(alice, forge.with_claims(**{name: value}))


@pytest.mark.checklist(14)
def test_a_life_is_as_long_as_documented_and_no_longer(alice: Actor, forge: Forge):
    now = int(time.time())
    within = forge.with_claims(iat=now, nbf=now, exp=now + 900)
    beyond = forge.with_claims(iat=now, nbf=now, exp=now + 901)

    assert _ask(alice, f"Bearer {within}").status_code == 200
    _refuses(alice, beyond)
    _refuses(alice, forge.with_claims(iat=now - 86_400, nbf=now - 86_400, exp=now + 600))


@pytest.mark.checklist(5)
def test_an_expired_token_is_told_apart(alice: Actor, forge: Forge):
    now = int(time.time())
    _refuses(alice, forge.with_claims(iat=now - 910, nbf=now - 910, exp=now - 10), "token_expired")


@pytest.mark.checklist(5)
def test_a_token_from_the_future_is_refused(alice: Actor, forge: Forge):
    now = int(time.time())
    _refuses(alice, forge.with_claims(nbf=now + 30, exp=now + 900))
    _refuses(alice, forge.with_claims(iat=now + 30, exp=now + 900))


def test_clocks_may_differ_by_a_few_seconds(alice: Actor, forge: Forge):
    now = int(time.time())
    ahead = forge.with_claims(iat=now + 3, nbf=now + 3, exp=now + 900)
    behind = forge.with_claims(iat=now - 898, nbf=now - 898, exp=now - 2)

    assert [_ask(alice, f"Bearer {token}").status_code for token in (ahead, behind)] == [200, 200]


@pytest.mark.checklist(12)
def test_each_kind_of_token_opens_its_own_door(alice: Actor, forge: Forge):
    second_factor = forge.with_claims("sid", aud="protonpay-mfa", type="mfa")
    _refuses(alice, second_factor)
    _refuses(alice, forge.with_claims(aud="protonpay-mfa", type="mfa"))
    refused(_ask(alice, f"Bearer {alice.refresh_token}"), 401, "invalid_token")
    with nothing_changes():
        answer = alice.client.post("/api/auth/refresh", json={"refreshToken": alice.token})
    refused(answer, 401, "invalid_token")


def test_a_token_of_a_session_that_postgres_does_not_know_is_refused(alice: Actor, forge: Forge):
    door.client.flushdb()

    _refuses(alice, forge.with_claims(sid="cmaaaaaaaaaaaaaaaaaaaaaaa"), "token_revoked")


@pytest.mark.parametrize("size", [4_097, 8_000, 60_000])
def test_a_token_that_is_too_long_is_not_read(alice: Actor, forge: Forge, size: int):
    _refuses(alice, forge.with_claims(amr=["x" * size])[:size])


@pytest.mark.parametrize("document", [DEEP, '{"a":' * 700, "[]", '"x"', "1", "null", "", "{"])
def test_parts_that_are_no_objects_are_refused(alice: Actor, forge: Forge, document: str):
    good = _part(forge.header)
    _refuses(alice, f"{_part(document.encode())}.e30.x")
    signed = f"{good}.{_part(document.encode())}"
    signature = hmac.digest(forge.key.encode(), signed.encode(), hashlib.sha256)
    _refuses(alice, f"{signed}.{_part(signature)}")


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
