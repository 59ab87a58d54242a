"""FreedomPay's side of a message: what it signs, and the XML it answers with."""

import hashlib
from collections.abc import Sequence
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

Value = str | Sequence[tuple[str, "Value"]]
Fields = Sequence[tuple[str, Value]]
"""A message in its order; a value is text, or what stands inside an element."""


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
