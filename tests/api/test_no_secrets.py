"""No answer has a member that is named like a secret, but those that are there to be told once."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
LIKE_A_SECRET = re.compile(
    r"passw|secret|token|hash|salt|key|private|seed|mnemonic|otp|code", re.IGNORECASE
)
TOLD = {
    # of who signs in
    "token",
    "refreshToken",
    # once, when it is made
    "rawKey",
    "secret",
    "recoveryCodes",
    # of a public name
    "code",
    "failureCode",
    "key",
    "keys",
    "publicKey",
    "codesLeft",
    "passkey",
    "passkeys",
    "keyId",
    "idempotencyKey",
    # of public things: transactions, a proof of liabilities, a head of the audit log
    "txHash",
    "hash",
    "chainHash",
    "previousHash",
    "reservesHash",
    "salt",
}
"""Each with its reason; a new one is to be thought about."""


def members(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every member of every answer, with the operation that gives it."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for answer in operation.get("responses", {}).values() if method != "parameters" else ():
                for content in answer.get("content", {}).values():
                    yield from (
                        (f"{method.upper()} {path}", name)
                        for name in _names(content.get("schema", {}), document, frozenset())
                    )


def _names(schema: dict[str, Any], document: dict[str, Any], seen: frozenset[str]) -> Iterator[str]:
    reference = schema.get("$ref")
    if reference is not None:
        name = reference.rpartition("/")[2]
        if name not in seen:
            yield from _names(document["components"]["schemas"][name], document, seen | {name})
    for name, member in schema.get("properties", {}).items():
        yield name
        yield from _names(member, document, seen)
    for inner in (schema.get("items"), schema.get("additionalProperties")):
        if isinstance(inner, dict):
            yield from _names(inner, document, seen)
    for one in [*schema.get("oneOf", ()), *schema.get("anyOf", ()), *schema.get("allOf", ())]:
        yield from _names(one, document, seen)


def test_no_answer_has_a_member_named_like_a_secret():
    told = {
        each
        for name in ("openapi.json", "openapi-admin.json")
        for each in members(json.loads((DOCS / name).read_text()))
    }
    named_so = {each for each in told if LIKE_A_SECRET.search(each[1])}
    assert {each for each in named_so if each[1] not in TOLD} == set()
    assert {name for _, name in named_so} == TOLD, "none is excused that is not there"
