"""FreedomPay's messages: fields posted as a form, answers in XML, one signature for both.

``pg_sig`` is MD5, with the secret at its end: enough to know whose message it is while TLS
guards the way, and never enough to move money on (FreedomPay, "Signature").
"""

import hashlib
import html
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import parse_qsl

from protonpay.kernel import signing
from protonpay.wire.plain_xml import Element

_SIGNATURE = "pg_sig"
_SALT = "pg_salt"
_LONGEST_FORM = 65_536
_MOST_FIELDS = 200


def as_fields(values: Mapping[str, str]) -> list[Element]:
    """Return a flat message as the elements it would be in XML."""
    return [Element(name, value) for name, value in values.items()]


def signature(script: str, fields: Sequence[Element], secret: str) -> str:
    """Return ``pg_sig`` of a message.

    Args:
        script: what stands after the last slash of the called address's path.
        fields: in the order of the message, whose every value counts, empty ones too.
        secret: the merchant's.
    """
    values = [value for _, value in sorted(_flat(fields, b""))]
    message = ";".join([script, *values, secret]).encode()
    return hashlib.md5(message, usedforsecurity=False).hexdigest()


def is_signed(script: str, fields: Sequence[Element], secret: str) -> bool:
    """Tell whether a message carries a salt and the signature that belongs to it."""
    given = {field.name: field.text for field in fields}
    if not given.get(_SALT) or not given.get(_SIGNATURE):
        return False
    return signing.same(signature(script, fields, secret), given[_SIGNATURE].lower())


def read_form(body: bytes) -> dict[str, str]:
    """Read the fields of a callback.

    Raises:
        ValueError: not a form in UTF-8, too long, or a field that is there twice.
    """
    if len(body) > _LONGEST_FORM:
        raise ValueError("a form that is too long")
    pairs = parse_qsl(
        body.decode(),
        keep_blank_values=True,
        strict_parsing=True,
        errors="strict",
        max_num_fields=_MOST_FIELDS,
    )
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field that is there twice")
    return fields


def signed_xml(script: str, values: Mapping[str, str], secret: str) -> bytes:
    """Return our answer to a callback, signed with the name of our own script."""
    signed = {**values, _SIGNATURE: signature(script, as_fields(values), secret)}
    inside = "".join(
        f"<{name}>{html.escape(value, quote=False)}</{name}>" for name, value in signed.items()
    )
    return f'<?xml version="1.0" encoding="utf-8"?><response>{inside}</response>'.encode()


def _flat(fields: Sequence[Element], parent: bytes) -> Iterator[tuple[bytes, str]]:
    """Yield every value under the name it is sorted by: its path, with each place in it.

    Bytes, because that is how PHP compares names; places keep repeated names in order.
    """
    for place, field in enumerate(fields, 1):
        if field.name == _SIGNATURE:
            continue
        name = b"%s%s%03d" % (parent, field.name.encode(), place)
        if field.children:
            yield from _flat(field.children, name)
        else:
            yield name, field.text
