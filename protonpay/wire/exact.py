"""Foreign JSON: exact numbers, and no trust in its shape."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn


def read_json(data: bytes) -> Any:
    """Read JSON; numbers with a point or an exponent become ``Decimal``, the others ``int``.

    Raises:
        ValueError: not JSON (``NaN`` and infinities are not), nested too deep, or a number
            beyond what a ``Decimal`` can hold.
    """
    try:
        return json.loads(data, parse_float=Decimal, parse_constant=_refuse)
    except (RecursionError, InvalidOperation) as error:
        raise ValueError("not readable as JSON") from error


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
