"""FreedomPay's side of a message: what it signs, and the XML it answers with."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from html import unescape
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

Value = str | Sequence[tuple[str, "Value"]]
Fields = Sequence[tuple[str, Value]]
"""A message in its order; a value is text, or what stands inside an element."""


_KEYS = re.compile(r"([^\[]+)((?:\[[^\]]*\])+)")
_ELEMENT = re.compile(r"<(pg_[a-z_]+)>([^<]*)</\1>")


def read_form(pairs: Iterable[tuple[str, str]]) -> Fields:
    """Return a posted form as what PHP makes of it: ``a[b][c]`` stands inside of ``a``."""
    top: dict[str, Any] = {}
    for name, value in pairs:
        nested = _KEYS.fullmatch(name)
        path = [nested[1], *nested[2][1:-1].split("][")] if nested else [name]
        into = top
        for key in path[:-1]:
            into = _inside_of(into, key)
        into[path[-1] or str(len(into))] = value
    return _as_fields(top)


def read_answer(xml: str) -> dict[str, str]:
    """Return the fields of a merchant's answer; none of what is not an answer."""
    is_answer = "<response>" in xml and xml.rstrip().endswith("</response>")
    return {name: unescape(text) for name, text in _ELEMENT.findall(xml)} if is_answer else {}


def _inside_of(into: dict[str, Any], key: str) -> dict[str, Any]:
    # As in PHP, what is named again as a list replaces the text that was there.
    key = key or str(len(into))
    if not isinstance(into.get(key), dict):
        into[key] = {}
    inside: dict[str, Any] = into[key]
    return inside


def _as_fields(nested: dict[str, Any]) -> Fields:
    return [
        (name, _as_fields(value) if isinstance(value, dict) else value)
        for name, value in nested.items()
    ]


def script_of(url: str) -> str:
    """Return the name that a signature begins with: the last segment of a path."""
    return urlsplit(url).path.split("/")[-1]


def pg_sig(script: str, fields: Fields, secret: str) -> str:
    """Return the signature of a message (FreedomPay, "Signature")."""
    flat: list[tuple[str, str]] = []
    _flatten(fields, "", flat)
    flat.sort(key=lambda pair: pair[0].encode())
    signed = ";".join([script, *(value for _, value in flat), secret])
    return hashlib.md5(signed.encode(), usedforsecurity=False).hexdigest()


def as_xml(script: str, fields: Fields, secret: str | None) -> str:
    """Return an answer; without a secret it is not signed, as to a merchant that is not known."""
    signed = list(fields)
    if secret is not None:
        signed.append(("pg_sig", pg_sig(script, fields, secret)))
    return f'<?xml version="1.0" encoding="utf-8"?>\n<response>{_inside(signed)}</response>'


def _inside(fields: Fields) -> str:
    return "".join(
        f"<{name}>{escape(value) if isinstance(value, str) else _inside(value)}</{name}>"
        for name, value in fields
    )


def _flatten(fields: Fields, parent: str, into: list[tuple[str, str]]) -> None:
    for position, (name, value) in enumerate(fields, 1):
        if name == "pg_sig":
            continue
        path = f"{parent}{name}{position:03d}"
        if isinstance(value, str):
            into.append((path, value))
        else:
            _flatten(value, path, into)
