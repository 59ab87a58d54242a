"""The API document holds together, and its examples are what the application takes and says."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator

from protonpay.kernel import clock
from protonpay.telegram import service as telegram
from protonpay.telegram.bot import Bot
from tests.actors import PASSWORD, make_actor
from tests.api.conftest import Served
from tests.api_keys.keys import make_key
from tests.invoices.asking import ask
from tests.linked_wallets import signers
from tests.passkeys.devices import added
from tests.teams.people import id_of
from tests.teams.people import member as joined

PROBLEM = "application/problem+json"
DESCRIBED = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    served: dict[str, Any] = app.test_client().get("/api/openapi.json").get_json()
    return served


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in DESCRIBED:
                yield path, method, operation


def resolved(document: dict[str, Any], described: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in described:
        at: Any = document
        for part in described["$ref"].removeprefix("#/").split("/"):
            at = at[part]
        described = at
    return described


def contents(document: dict[str, Any]) -> Iterator[tuple[str, bool, dict[str, Any]]]:
    """Yield every body: whose, whether it is a request, its schema."""
    for path, method, operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            yield f"{method} {path}", True, content["schema"]
        for status, answer in operation["responses"].items():
            for content in resolved(document, answer).get("content", {}).values():
                yield f"{method} {path} {status}", False, content["schema"]


def valid(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    whole = {**schema, "components": document["components"]}
    checker = Draft202012Validator.FORMAT_CHECKER
    found = Draft202012Validator(whole, format_checker=checker).iter_errors(value)
    return [error.message for error in found]


def test_every_schema_is_one(document: dict[str, Any]):
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_body_has_an_example_that_fits_it(document: dict[str, Any]):
    for whose, _, schema in contents(document):
        if whose.startswith("post /api/callbacks/"):
            continue  # a provider's words, which it documents itself
        examples = resolved(document, schema)["examples"]
        assert examples, whose
        for example in examples:
            assert valid(document, schema, example) == [], whose


def test_every_example_of_a_member_a_header_and_a_parameter_fits(document: dict[str, Any]):
    components = document["components"]
    for name, schema in components["schemas"].items():
        for member, described in schema["properties"].items():
            for example in described.get("examples", []):
                assert valid(document, described, example) == [], (name, member)
    for name, described in {**components["parameters"], **components["headers"]}.items():
        if "example" in described:
            assert valid(document, described["schema"], described["example"]) == [], name
    for name, answer in components["responses"].items():
        content = answer["content"][PROBLEM]
        assert valid(document, content["schema"], content["example"]) == [], name


def test_requests_are_closed_and_answers_are_open_and_whole(document: dict[str, Any]):
    for whose, asked, described in contents(document):
        schema = resolved(document, described)
        if "properties" not in schema:
            continue
        assert schema.get("additionalProperties", True) is not asked, whose
        if not asked:
            sometimes = (
                {"errors", "mfaToken"} if schema["properties"].keys() >= {"instance"} else set()
            )
            assert set(schema["required"]) == schema["properties"].keys() - sometimes, whose


def test_every_error_is_a_problem_and_none_excuses_the_others(document: dict[str, Any]):
    for path, method, operation in operations(document):
        assert "default" not in operation["responses"], path
        for status, answer in operation["responses"].items():
            described = resolved(document, answer)
            assert "X-Request-Id" in described["headers"], (path, status)
            if int(status) >= 400 and (path, status) != ("/api/ready", "503"):
                assert list(described["content"]) == [PROBLEM], (path, status)
                assert "Content-Language" in described["headers"]
        assert {"400", "500"} <= operation["responses"].keys(), (method, path)


def test_operations_have_one_name_each_and_links_lead_somewhere(document: dict[str, Any]):
    named = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(named)) == len(named)
    linked = set()
    for _, _, operation in operations(document):
        for link in operation["responses"].get("200", {}).get("links", {}).values():
            assert link["operationId"] in named
            linked.add(link["operationId"])
    items = {
        operation["operationId"]
        for path, _, operation in operations(document)
        if path.endswith("_id}")
    } - {"account_end", "requests_one"}  # a session, a request: whatever is asked makes one
    assert items <= linked, "whatever has an id is reached from where it is made"


def test_whoever_needs_no_credential_says_so(document: dict[str, Any]):
    for path, _, operation in operations(document):
        signed_in = path.startswith("/api/client/") or path == "/api/auth/logout"
        assert bool(operation["security"]) is signed_in, path


NOBODYS = {
    "token": "invalid_link",
    "code": "two_factor_invalid",
    "mfaToken": "invalid_token",
    "credential": "passkey_invalid",
    "claimId": "unknown_claim",
}
"""Members whose example nobody was given, and how it is refused."""
MOMENTS: Mapping[str, Callable[[], dict[str, str]]] = {
    "recover": lambda: {"since": clock.to_text(clock.now() - timedelta(days=1))},
    "extend": lambda: {"expiresAt": clock.to_text(clock.now() + timedelta(days=2))},
}
"""Members that are near the moment of the call, by how its path ends."""


@pytest.mark.slow
def test_the_example_of_every_request_is_taken(
    document: dict[str, Any], served: Served, monkeypatch: pytest.MonkeyPatch
):
    """But for what must be somebody's: a refresh token, a receiver, a signature, an id."""
    monkeypatch.setattr(telegram.line, "bot", Bot("http://127.0.0.1:9", "100500:nobodys"))
    john = make_actor(served.house.app, "John", funded="100")
    paid, asked_for = ask(served.alice).id, ask(served.alice).id
    assert john.post(f"/client/invoices/{paid}/pay").status_code == 200
    added(served.alice)
    passkey = served.alice.get("/client/passkeys").get_json()["passkeys"][0]["id"]
    key = make_key(served.alice).id
    colleague = id_of(served.alice, joined(served.house.app, served.alice, "viewer").person)
    orders = [
        (path, method, operation)
        for path, method, operation in operations(document)
        if "requestBody" in operation and not path.startswith("/api/callbacks/")
    ]
    assert len(orders) >= 12
    for path, method, operation in orders:
        schema = resolved(
            document, operation["requestBody"]["content"]["application/json"]["schema"]
        )
        near = MOMENTS.get(path.rpartition("/")[2])
        example = near() if near else dict(schema["examples"][0])
        if "refreshToken" in example:
            example["refreshToken"] = john.refresh_token
        if "toIdentifier" in example:
            example["toIdentifier"] = john.email
        if path.startswith("/api/client/") and "password" in example:
            example |= dict.fromkeys(example.keys() & {"password", "newPassword"}, PASSWORD)
        if {"challengeId", "signature"} <= example.keys():
            wallet = signers.solana()
            asked = signers.asked(served.alice, wallet)
            example = {"challengeId": asked["id"], "signature": wallet.sign(asked["message"])}
        webhooks = served.alice.get("/client/webhooks").get_json()["webhooks"]
        made = webhooks[0]["id"] if webhooks else ""
        called = path.removeprefix("/api").replace("{webhook_id}", made)
        waiting = path.endswith(("/send", "/extend"))
        called = called.replace("{invoice_id}", asked_for if waiting else paid)
        called = (
            called.replace("{key_id}", key)
            .replace("{passkey_id}", passkey)
            .replace("{member_id}", colleague)
        )
        answer = served.alice.call(method.upper(), called, json=example)
        if nobodys := {name for name in NOBODYS if example.get(name) is not None}:
            assert answer.get_json()["code"] in {NOBODYS[name] for name in nobodys}, path
            continue
        assert answer.status_code in {200, 202, 204}, (path, answer.get_json())
