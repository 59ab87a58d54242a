"""What is wrong with a signature: the question every receiver asks once (portal reference §4.7)."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from protonpay import verify

_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_ALL_RIGHT = "Everything fits: this was sent by us with this secret."


@dataclass(frozen=True, slots=True)
class Found:
    """How the parts of a delivery fit together.

    Attributes:
        parts: each part, and whether it is right.
        said: what that means.
    """

    parts: tuple[tuple[str, bool], ...]
    said: str

    @property
    def good(self) -> bool:
        """Whether everything fits."""
        return all(right for _, right in self.parts)


def examine(*, headers: str, body: str, secret: str) -> Found:
    """Judge a delivery as its receiver has it, part by part.

    Args:
        headers: as they came, one on a line, ``name: value``.
        body: as it came.
        secret: of the endpoint.
    """
    named = _headers(headers)
    # A form ends its lines as mail does; a body of ours has none.
    sent = body.strip().encode()
    complete = {"webhook-id", "webhook-timestamp", "webhook-signature"} <= named.keys()
    stamp = named.get("webhook-timestamp", "")
    lately = complete and _passes(lambda: verify.verify(sent, named, secret))
    at = int(stamp) if _SECONDS.fullmatch(stamp) else 0
    signed = complete and _passes(lambda: verify.verify(sent, named, secret, now=at))
    inside = _passes(lambda: verify.verify_body(sent, secret))
    parts = (
        ("The three headers are there", complete),
        ("The body is JSON", _is_json(sent)),
        ("The signature of the header fits", signed),
        ("The signature in the body fits", inside),
        ("It was sent in the last five minutes", lately),
    )
    return Found(parts, _meaning(complete=complete, signed=signed, inside=inside, lately=lately))


def _meaning(*, complete: bool, signed: bool, inside: bool, lately: bool) -> str:
    if lately and inside:
        return _ALL_RIGHT
    if not complete:
        return "A header is missing: webhook-id, webhook-timestamp or webhook-signature."
    if signed and inside:
        return "It is genuine, but too old: a receiver refuses what is older than five minutes."
    if inside:
        return "The body is genuine, but its id, its time or the header's signature was changed."
    if signed:
        return (
            "The header fits, the signature in the body does not: while two secrets sign,"
            " the body bears the older one's alone."
        )
    return (
        "Nothing fits: this is the secret of another endpoint or an old one, or the body was"
        " changed on its way (parsed and written again, for example)."
    )


def _headers(text: str) -> dict[str, str]:
    lines = (line.partition(":") for line in text.splitlines())
    return {name.strip().lower(): value.strip() for name, colon, value in lines if colon}


def _passes(check: Callable[[], object]) -> bool:
    try:
        check()
    except verify.Forged:
        return False
    return True


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
