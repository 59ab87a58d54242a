"""Documents in the tests: the smallest of each kind."""

import base64
from typing import Any

from werkzeug.test import TestResponse

from tests.actors import Actor

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
JPEG = bytes.fromhex("ffd8ffe000104a46494600") + b"a picture"
PDF = b"%PDF-1.7\n%a file\n%%EOF\n"


def order(content: bytes = PNG, kind: Any = "FRONT") -> dict[str, Any]:
    """Return the body of an upload."""
    return {"kind": kind, "content": base64.b64encode(content).decode()}


def upload(actor: Actor, content: bytes = PNG, kind: str = "FRONT") -> TestResponse:
    """Upload a document over HTTP."""
    return actor.post("/client/kyc/documents", order(content, kind))
