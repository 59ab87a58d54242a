"""How a schema is written down in the OpenAPI document: what is read, and what is answered.

What is read is closed: an unknown member is refused. What is answered holds every member it
names, and may hold further ones one day. Each object has an example, put together from its
members' own.
"""

from collections.abc import Mapping
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from apispec.ext.marshmallow.schema_resolver import SchemaResolver
from marshmallow import Schema
from marshmallow.fields import Field, Nested
from typing_extensions import override

from protonpay.kernel import ids

JsonSchema = dict[str, Any]

ID: JsonSchema = {"type": "string", "pattern": f"^{ids.ID_PATTERN.pattern}$"}
EXAMPLE_ID = "cmg7xk2p91q0v8r3t5w6y4zab"

SAME_EVERYWHERE: Mapping[str, JsonSchema] = {
    "id": {"pattern": ID["pattern"], "example": EXAMPLE_ID},
    "requestId": {"example": f"req_{EXAMPLE_ID}"},
    "publicId": {"pattern": f"^{ids.PUBLIC_ID_PATTERN.pattern}$", "example": "PP-7K3M9QWD"},
    "email": {"example": "john@example.com"},
    "password": {"example": "securePassword123"},
    "name": {"example": "John Doe"},
    "toIdentifier": {"example": "user@example.com"},
    "toUser": {"example": "user@example.com"},
    "fromUser": {"example": "PP-7K3M9QWD"},
    "note": {"example": "Payment for services"},
    "party": {"example": "user@example.com"},
    "role": {"example": "USER"},
    "token": {"example": "eyJhbGciOiJIUzI1NiIs..."},
    "refreshToken": {"example": "eyJhbGciOiJIUzI1NiIs..."},
    "network": {"example": "Solana"},
    "address": {"example": "D9cCZQxDN1fohCRSfQMRCXShxAFhAxaRp1jr5Bqe3Lr2"},
    "walletAddress": {"example": "D9cCZQxDN1fohCRSfQMRCXShxAFhAxaRp1jr5Bqe3Lr2"},
    "walletNetwork": {"example": "Solana"},
    "usdc": {"example": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"},
    "txHash": {"example": "5xKm2Q8b3cHVz9fYpJ4LrT6nW1sDgE7uMaXoBkRiNvQt"},
    "fee": {"example": "0.05"},
    "commission": {"example": "0.00"},
    "total": {"example": "1250.05"},
    "failureCode": {"example": None},
    "provider": {"example": "tap"},
    "method": {"example": "CARD"},
    "paidAmount": {"example": "100.00"},
    "paidCurrency": {"example": "USD"},
    "rate": {"example": "1"},
    "url": {"example": "https://yourapp.com/webhooks/nova"},
    "prefix": {"example": "sk_live_abc1"},
    "description": {"example": "Orders"},
    "label": {"example": "Cold wallet"},
    "disabledReason": {"example": None},
    "lastUsedIp": {"example": "203.0.113.7"},
    "detail": {"example": "ok"},
    "nextCursor": {"example": None},
    "cursor": {"example": "WzE3NzM0ODk2MDAwMDAwMDAsImNtZzd4In0.9f2c4d1b8a7e6f50"},
}
"""What a member of this name says more of itself, whatever answer or request it stands in."""


class _Converter(OpenAPIConverter):  # type: ignore[misc] # the library's types are not followed
    """Writes schemas; ``answering`` while it is at what we answer."""

    answering = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_attribute_function(_own_words)

    @override
    def field2property(self, field: Field[Any]) -> JsonSchema:
        described: JsonSchema = super().field2property(field)
        if "example" in described:
            # JSON Schema 2020-12, which OpenAPI 3.1 speaks, has a list of them.
            described["examples"] = [described.pop("example")]
        kinds = described.get("type")
        if isinstance(kinds, list) and len(kinds) == 1:
            described["type"] = kinds[0]
        if "enum" in described:
            # The list says it all.
            described.pop("minLength", None)
            described.pop("maxLength", None)
            if "null" in described["type"] and None not in described["enum"]:
                described["enum"] = [*described["enum"], None]
        if described.get("default", "") is None:
            # Left out or null: the same.
            del described["default"]
        return described

    @override
    def _field2parameter(self, field: Field[Any], *, name: str, location: str) -> JsonSchema:
        parameter: JsonSchema = super()._field2parameter(field, name=name, location=location)
        schema = parameter["schema"]
        # A query has no null: what is not there is left out.
        if isinstance(schema.get("type"), list):
            schema["type"] = next(kind for kind in schema["type"] if kind != "null")
        if "enum" in schema:
            schema["enum"] = [value for value in schema["enum"] if value is not None]
        return parameter

    @override
    def schema2jsonschema(self, schema: Schema) -> JsonSchema:
        described: JsonSchema = super().schema2jsonschema(schema)
        if self.answering:
            described.pop("additionalProperties", None)
            described["required"] = [
                field.data_key or name
                for name, field in schema.fields.items()
                if not field.metadata.get("sometimes")
            ]
        described["examples"] = [self._example_of(described)]
        return described

    def _example_of(self, described: JsonSchema) -> Any:
        """Return the first example there is, or one made of those of the parts."""
        if "$ref" in described:
            name = described["$ref"].rpartition("/")[2]
            return self._example_of(self.spec.components.schemas[name])
        for word in ("examples", "enum"):
            if described.get(word):
                return described[word][0]
        kind = described.get("type")
        if kind == "object" and "properties" in described:
            members = described["properties"].items()
            return {name: self._example_of(member) for name, member in members}
        if kind == "object" and described.get("additionalProperties"):
            return {"Solana": self._example_of(described["additionalProperties"])}
        if kind == "array":
            return [self._example_of(described["items"])]
        return _PLAIN.get(kind if isinstance(kind, str) else "null")


_PLAIN: Mapping[str, Any] = {"boolean": True, "integer": 1, "null": None}


def _own_words(converter: _Converter, field: Field[Any], ret: JsonSchema) -> JsonSchema:
    """Add what the field's class says of what it takes or prints, and what its name says.

    The field's own metadata goes before both.
    """
    words: JsonSchema = dict(getattr(field, "told" if converter.answering else "given", {}))
    if not isinstance(field, Nested):
        words |= SAME_EVERYWHERE.get(field.data_key or "", {})
    kinds = words.pop("type", None)
    told = {word: value for word, value in words.items() if word not in ret}
    if "enum" in ret:
        told.pop("pattern", None)
    if kinds is not None:
        kinds = kinds if isinstance(kinds, list) else [kinds]
        told["type"] = [*kinds, "null"] if field.allow_none else kinds
    return told


class _Resolver(SchemaResolver):  # type: ignore[misc] # the library's types are not followed
    """Tells the converter when it is at an answer."""

    @override
    def resolve_response(self, response: Any) -> None:
        self.converter.answering = True
        try:
            super().resolve_response(response)
        finally:
            self.converter.answering = False


class SchemaPlugin(MarshmallowPlugin):  # type: ignore[misc] # the library's types are not followed
    """apispec's plugin for marshmallow, with our way of writing."""

    Converter = _Converter
    Resolver = _Resolver
