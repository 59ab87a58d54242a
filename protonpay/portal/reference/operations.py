"""The OpenAPI document as people read it: what a call takes, who may call it, what it answers."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]

_DEEPEST = 4
_NAMES = re.compile(r"{[^}]*}")
# Headers that every call takes: a call does not name them.
_EVERYWHERE = frozenset({"Accept-Language", "X-Request-Id"})


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a body, or a parameter.

    Attributes:
        name: with dots for what is inside of another, ``[]`` for each of a list.
        place: path, query, header, or nothing for a body's.
        kind: its type, in words.
        required: whether a request must have it, or an answer always has it.
        notes: Markdown.
    """

    name: str
    kind: str
    required: bool
    notes: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """A call.

    Attributes:
        path: without the prefix ``/api``.
        keys: the scopes that let an API key in, any one set of them; None: no key is let in.
        signed_in: whether an access token is needed, if no key is sent.
        headers: those it knows beside the ones that every call takes; told once for all.
        errors: the statuses of refusals.
    """

    name: str
    method: str
    path: str
    summary: str
    description: str
    area: str
    signed_in: bool
    keys: Sequence[Sequence[str]] | None
    headers: Sequence[str]
    parameters: Sequence[Member]
    request: Sequence[Member]
    status: int
    answer: Sequence[Member]
    errors: Sequence[int]

    @property
    def key(self) -> str:
        """What its example is found by."""
        return example_key(self.method, self.path)


@dataclass(frozen=True, slots=True)
class Refusals:
    """What a status means: its words, and a code that comes with it."""

    status: int
    title: str
    code: str
    said: str


@dataclass(slots=True)
class Reader:
    """Reads one document.

    Attributes:
        document: as at ``/api/openapi.json``.
    """

    document: Json
    _schemas: Json = field(init=False)

    def __post_init__(self) -> None:
        self._schemas = self.document["components"]["schemas"]

    def operations(self) -> Iterator[Operation]:
        """Read every call, in the document's order."""
        for path, methods in self.document["paths"].items():
            for method, told in methods.items():
                if method != "parameters":
                    yield self._operation(path, method, told, methods.get("parameters", ()))

    def refusals(self) -> list[Refusals]:
        """Read what can be refused, by status, with an example of each."""
        found = {}
        for answer in self.document["components"]["responses"].values():
            (content,) = answer["content"].values()
            example = content["example"]
            status = example["status"]
            found[status] = Refusals(status, example["title"], example["code"], example["detail"])
        return [found[status] for status in sorted(found)]

    def headers(self) -> list[Member]:
        """Read the headers that calls take, each once."""
        told = self.document["components"]["parameters"].values()
        return [
            Member(
                each["name"],
                kind_of(each["schema"]),
                required=False,
                notes=_notes({}, each["description"]),
            )
            for each in told
        ]

    def _operation(self, path: str, method: str, told: Json, shared: Sequence[Json]) -> Operation:
        security = told.get("security", [])
        scopes = [each["apiKey"] for each in security if "apiKey" in each]
        statuses = sorted(int(status) for status in told["responses"])
        taken = self._parameters([*shared, *told.get("parameters", ())])
        good = next(status for status in statuses if status < 300)  # noqa: PLR2004 - HTTP
        return Operation(
            name=told["operationId"],
            method=method.upper(),
            path=path.removeprefix("/api"),
            summary=told.get("summary", ""),
            description=told.get("description", ""),
            area=told["tags"][0],
            signed_in=bool(security),
            keys=scopes or None,
            headers=[each.name for each in taken if each.place == "header"],
            parameters=[each for each in taken if each.place != "header"],
            request=self._body(told.get("requestBody", {})),
            status=good,
            answer=self._body(told["responses"][str(good)]),
            errors=[status for status in statuses if status >= 400],  # noqa: PLR2004 - HTTP
        )

    def _parameters(self, told: Sequence[Json]) -> list[Member]:
        found = [self._resolved(each) for each in told]
        return [
            Member(
                each["name"],
                kind_of(each.get("schema", {})),
                each.get("required", False),
                _notes(each.get("schema", {}), each.get("description", "")),
                each["in"],
            )
            for each in found
            if each["name"] not in _EVERYWHERE
        ]

    def _body(self, body: Json) -> list[Member]:
        content = body.get("content", {}).get("application/json", {})
        return list(self._members(content.get("schema", {}), "", _DEEPEST))

    def _members(self, schema: Json, before: str, deep: int) -> Iterator[Member]:
        schema = self._resolved(schema)
        required = schema.get("required", ())
        for name, told in schema.get("properties", {}).items():
            inner = self._resolved(told)
            yield Member(before + name, kind_of(inner), name in required, _notes(inner, ""))
            within, mark = inner, "."
            if kind_of(inner).startswith("list"):
                within, mark = self._resolved(inner.get("items", {})), "[]."
            if deep and "properties" in within:
                yield from self._members(within, f"{before}{name}{mark}", deep - 1)

    def _resolved(self, told: Json) -> Json:
        """Follow a reference, also one that may be null; what stands beside it is kept."""
        options = [each for each in told.get("anyOf", ()) if each.get("type") != "null"]
        if len(options) == 1 and "$ref" in options[0]:
            told = {**told, **options[0]}
        if "$ref" not in told:
            return told
        place: Any = self.document
        for step in told["$ref"].removeprefix("#/").split("/"):
            place = place[step]
        return {**place, **{name: value for name, value in told.items() if name != "$ref"}}


def example_key(method: str, path: str) -> str:
    """Return what a call and its example have in common: names in a path differ."""
    return f"{method} {_NAMES.sub('{}', path.partition('?')[0])}"


def kind_of(schema: Json) -> str:
    """Return a schema's type in words: ``text or number``, ``list of text``."""
    told = schema.get("type")
    if told is None:
        kinds = [kind_of(each) for each in schema.get("anyOf", ()) if each.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds)) or ("object" if "properties" in schema else "any")
    types = [told] if isinstance(told, str) else [each for each in told if each != "null"]
    words = {"string": "text", "integer": "whole number", "boolean": "yes or no"}
    said = " or ".join(words.get(each, each) for each in types)
    if said == "text" and schema.get("format") == "date-time":
        return "time"
    if said == "array":
        inner = schema.get("items", {})
        return "list" if "$ref" in inner or not inner else f"list of {kind_of(inner)}"
    return said


def _notes(schema: Json, description: str) -> str:
    parts = [description or schema.get("description", "")]
    choices = schema.get("enum") or schema.get("items", {}).get("enum")
    if choices:
        parts.append("One of " + ", ".join(f"`{each}`" for each in choices if each is not None))
    if "const" in schema:
        parts.append(f"Always `{schema['const']}`")
    if "maxLength" in schema:
        least = schema.get("minLength", 0)
        parts.append(f"{f'{least} to ' if least else 'At most '}{schema['maxLength']} characters")
    if schema.get("type") == "integer" and "maximum" in schema:
        parts.append(f"{schema.get('minimum', 0)} to {schema['maximum']}")
    if schema.get("default") is not None and schema.get("default") != "":
        parts.append(f"`{json.dumps(schema['default'])}` unless said")
    if "null" in schema.get("type", ()) and not isinstance(schema.get("type"), str):
        parts.append("May be null")
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)
