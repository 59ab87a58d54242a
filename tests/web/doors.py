"""Every route and every text that a caller may send, read from the API document."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
NOBODY = "cm" + "a" * 23
DOCUMENT = json.loads((ROOT / "docs/openapi.json").read_text())
"""As committed; ``tests/architecture`` holds that it is the one served."""


@dataclass(frozen=True)
class Slot:
    """One place of a request that a text may stand in.

    Attributes:
        body: what is sent otherwise: the document's example.
    """

    method: str
    path: str
    member: str
    body: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.member}"

    def filled(self, text: Any, **more: Any) -> dict[str, Any]:
        return {**self.body, **more, self.member: [text] if self.is_list else text}

    @property
    def is_list(self) -> bool:
        return isinstance(self.body.get(self.member), list)


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path with nobody's id in it, and description of each call of the API."""
    for path, each in DOCUMENT["paths"].items():
        for method, operation in each.items():
            if method != "parameters":
                yield method.upper(), path, operation


def concrete(path: str, text: str = NOBODY) -> str:
    """Return a path with this in the place of its parameters, below ``/api``."""

    def filled(parameter: re.Match[str]) -> str:
        if text != NOBODY:
            return text
        return {"event_id": f"evt_{text}", "month": "2026-01"}.get(parameter[1], text)

    return re.sub(r"\{(\w+)\}", filled, path.removeprefix("/api"))


def slots() -> list[Slot]:
    """Every member of every body that may be a text."""
    return [
        Slot(method, concrete(path), member, deepcopy(schema["examples"][0]))
        for method, path, operation in operations()
        if (schema := _body(operation)) is not None
        for member, said in schema["properties"].items()
        if '"string"' in json.dumps(said)
    ]


def _body(operation: dict[str, Any]) -> dict[str, Any] | None:
    content = operation.get("requestBody", {}).get("content", {})
    reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    return DOCUMENT["components"]["schemas"].get(reference.rpartition("/")[2])


def parameters(where: str) -> list[tuple[str, str, str]]:
    """Method, path and name of every parameter in the query or in the path."""
    found: list[tuple[str, str, str]] = []
    for method, path, operation in operations():
        shared = DOCUMENT["paths"][path].get("parameters", [])
        said = [*shared, *operation.get("parameters", [])]
        found += [(method, path, one["name"]) for one in said if one.get("in") == where]
    return found
