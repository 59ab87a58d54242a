"""The API document, read as it is written: its calls, and the tables beside them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).parents[2] / "docs" / "contract.txt"

_CALL = re.compile(r"(GET|POST)(/[a-z/-]+)")


@dataclass(frozen=True)
class Call:
    """One documented call: what is sent, and what comes back."""

    method: str
    path: str
    request: dict[str, Any] | None
    status: int
    answer: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def lines() -> list[str]:
    return DOCUMENT.read_text().splitlines()


def section(first: str, last: str | None = None) -> list[str]:
    """The lines after one heading and before another, empty ones left out."""
    text = lines()
    start = text.index(first) + 1
    end = text.index(last, start) if last else len(text)
    return [line for line in text[start:end] if line]


@cache
def calls() -> dict[str, Call]:
    """Every documented call, by name."""
    found = {}
    starts = [n for n, line in enumerate(lines()) if _CALL.fullmatch(line)]
    for start, end in zip(starts, [*starts[1:], len(lines())], strict=True):
        call = _read(lines()[start:end])
        found[call.name] = call
    return found


def _read(text: list[str]) -> Call:
    heading = _CALL.fullmatch(text[0])
    assert heading
    at = text.index("Response")
    blocks = list(_blocks(text))
    return Call(
        method=heading[1],
        path=heading[2],
        request=blocks[0] if "Request Body" in text[:at] else None,
        status=int(text[at + 1]),
        answer=blocks[1] if "Request Body" in text[:at] else blocks[0],
    )


def _blocks(text: list[str]) -> Iterator[dict[str, Any]]:
    """The JSON objects among some lines: each begins and ends at the left margin."""
    held: list[str] = []
    for line in text:
        if line == "{" or held:
            held.append(line)
        if line == "}":
            yield json.loads("\n".join(held))
            held = []


def payload_example() -> dict[str, Any]:
    """The document's example of a webhook."""
    return next(_blocks(section("Webhook Payload Example", "Rate Limits")))
