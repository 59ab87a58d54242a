"""Foreign JSON: exact numbers, and no trust in its shape."""

import json
import re
from decimal import Decimal, InvalidOperation
from itertools import accumulate
from typing import Any, NoReturn

DEEPEST = 200
_LEVELS = 20
_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_STEPS = dict(zip(b"[{]}", (1, 1, -1, -1), strict=True))
_NO_BRACKETS = bytes(set(range(256)) - set(_STEPS))


def read_json(data: bytes) -> Any:
    """Read JSON; numbers with a point or an exponent become ``Decimal``, the others ``int``.

    Raises:
        ValueError: not JSON in UTF-8 (RFC 8259 §8.1; ``NaN`` and infinities are not), nested
            deeper than ``DEEPEST``, or a number beyond what a ``Decimal`` can hold.
    """
    refuse_bottomless(data)
    try:
        return json.loads(data.decode(), parse_float=Decimal, parse_constant=_refuse)
    except InvalidOperation as error:
        raise ValueError("not readable as JSON") from error


def refuse_bottomless(data: bytes) -> None:
    """Refuse what is nested deeper than ``DEEPEST``, before a parser follows it down.

    The parser's own bound is the recursion limit, which any library may lift for the whole
    process (web3 brings one that does); Python 3.11 then overflows the C stack and dies.

    Raises:
        ValueError: nested too deep.
    """
    if data.count(b"[") + data.count(b"{") <= DEEPEST:
        return
    # Without escapes a text is what stands between two quotes: ten times as fast for long answers.
    bare = _TEXTS.sub(b"", data) if b"\\" in data else b"".join(data.split(b'"')[::2])
    brackets = bare.translate(None, _NO_BRACKETS)
    if _is_shallow(brackets):
        return
    if max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > DEEPEST:
        raise ValueError("nested too deep")


def _is_shallow(brackets: bytes) -> bool:
    """Tell quickly that brackets are not too deep; False says nothing.

    What is innermost is taken away, level by level; the rest cannot be deeper than it is long.
    """
    for level in range(0, _LEVELS, 2):
        if level + len(brackets) <= DEEPEST:
            return True
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return False


def member(thing: Any, *path: str) -> Any:
    """Return what stands at the end of a path of members, or None where it breaks off."""
    for name in path:
        thing = thing.get(name) if isinstance(thing, dict) else None
    return thing


def text(thing: Any, *path: str) -> str:
    """Return the text at the end of a path of members; anything else counts as empty."""
    value = member(thing, *path)
    return value if isinstance(value, str) else ""


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
