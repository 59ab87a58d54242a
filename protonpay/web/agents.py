"""What a program calls itself in ``User-Agent``, as people call it: Firefox, on Linux.

By the table of ua-parser, which browsers' names are kept up to date in. It is a guess for the eye:
whoever calls may say anything, and nothing is ever decided by it.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from flask import request
from ua_parser import parse_os, parse_user_agent

_REMEMBERED = 1000
_LONGEST = 300
_PRODUCT = re.compile(r"(?!Mozilla)[A-Za-z][A-Za-z0-9._-]{0,39}(?=/|$)")
"""What a program of no table says first (RFC 9110, 10.1.5); each browser says Mozilla."""


@dataclass(frozen=True, slots=True)
class Agent:
    """A program and what it runs on; None where its text names none that is known."""

    program: str | None
    system: str | None


@lru_cache(_REMEMBERED)
def agent(text: str) -> Agent:
    """Read a ``User-Agent``, of at most some hundred characters."""
    program, system = parse_user_agent(text), parse_os(text)
    product = _PRODUCT.match(text)
    named = program.family if program else product and product[0]
    return Agent(named or None, system.family if system else None)


def sent() -> str:
    """Return what the program of this request calls itself, as much of it as is kept."""
    return request.headers.get("User-Agent", "").replace("\0", "")[:_LONGEST]
