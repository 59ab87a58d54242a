"""Which tokens open a door: ours, unaltered, of the right kind, and for as long as documented."""

import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.actors import Actor
from tests.raw_server import answering, http
from tests.refusals import refused
from tests.web.forge import Forge, ask, part, refuses, sign

DEEP = "[" * 2_900


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
    assert ask(alice, f"Bearer {forge.with_claims()}").status_code == 200


@pytest.mark.checklist(4)
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_read_in_any_case(alice: Actor, scheme: str):
    """RFC 9110 §11.1; Flask-JWT-Extended compares it exactly (library-pitfalls §3)."""
    assert ask(alice, f"{scheme} {alice.token}").status_code == 200


@pytest.mark.checklist(1)
@pytest.mark.parametrize("authorization", [None, ""])
def test_without_credentials_it_asks_for_them(alice: Actor, authorization: str | None):
    refused(ask(alice, authorization), 401, "authentication_required")


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
    refused(ask(alice, None), 401, "authentication_required")
    body = alice.client.post("/api/client/transfer", json={"token": alice.token})
    refused(body, 401, "authentication_required")


@pytest.mark.checklist(6)
@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, 0, [], {}])
def test_an_unsigned_token_is_nothing(alice: Actor, forge: Forge, algorithm: Any):
    header, claims = part(forge.header | {"alg": algorithm}), part(forge.claims)
    signature = alice.token.rpartition(".")[2]

    for token in (f"{header}.{claims}.", f"{header}.{claims}", f"{header}.{claims}.{signature}"):
        refuses(alice, token)


@pytest.mark.checklist(7)
@pytest.mark.parametrize("digest", ["sha384", "sha512"])
def test_another_algorithm_is_refused_even_with_our_key(alice: Actor, forge: Forge, digest: str):
    refuses(alice, forge.with_header(digest=digest, alg=f"HS{digest[3:]}"))
    refuses(alice, forge.with_header(digest=digest))


@pytest.mark.checklist(7)
def test_a_public_key_is_no_secret_and_a_private_one_is_not_ours(alice: Actor, forge: Forge):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for algorithm in ("RS256", "PS256"):
        refuses(
            alice,
            jwt.encode(forge.claims, private, algorithm, headers=forge.header | {"alg": algorithm}),
        )


@pytest.mark.checklist(8)
def test_another_key_is_refused(alice: Actor, forge: Forge):
    for key in ("another secret key, also long enough for HS256", " ", forge.key + "x"):
        refuses(alice, forge.with_header(key=key))


@pytest.mark.checklist(8)
def test_no_flipped_bit_passes(alice: Actor):
    head, payload, signature = alice.token.split(".")
    raw = base64.urlsafe_b64decode(signature + "=")
    for position in range(0, len(raw), 4):
        for bit in (1, 128):
            bent = bytearray(raw)
            bent[position] ^= bit
            refuses(alice, f"{head}.{payload}.{part(bytes(bent))}")
    for cut in (1, 2, 20, len(signature)):
        refuses(alice, f"{head}.{payload}.{signature[:-cut]}")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    refuses(alice, f"{head}.{part(claims | {'sub': 'cmaaaaaaaa'})}.{signature}")
    refuses(alice, f"{head}.{payload}.{signature}.{signature}")


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
    refuses(alice, forge.with_header(kid=kid))


@pytest.mark.checklist(9)
def test_a_key_that_kid_could_lead_to_does_not_verify(alice: Actor, forge: Forge):
    for kid, key in (("../../dev/null", "\0"), ("", "x"), ("secret", "secret")):
        refuses(alice, forge.with_header(kid=kid, key=key))


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
    refuses(alice, forge.with_header(**extra))


@pytest.mark.checklist(10)
def test_a_key_in_the_token_is_not_used(alice: Actor, forge: Forge):
    """``jku``, ``x5u`` and ``jwk`` name a key of the caller's choice: nobody looks at them."""
    key = "a key of the attacker's, long enough for HS256"
    jwk = {"kty": "oct", "k": part(key.encode()), "alg": "HS256"}
    with answering(http(json.dumps({"keys": [jwk]}).encode())) as theirs:
        for extra in ({"jwk": jwk}, {"jku": f"{theirs.url}/keys"}, {"x5u": theirs.url}):
            refuses(alice, forge.with_header(key=key, **extra))
            assert ask(alice, f"Bearer {forge.with_header(**extra)}").status_code == 200
        assert theirs.requests == []


def test_a_header_without_a_kid_is_not_ours(alice: Actor, forge: Forge):
    header = {name: value for name, value in forge.header.items() if name != "kid"}
    refuses(alice, sign(header, forge.claims, forge.key))
