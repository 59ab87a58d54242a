"""POST /callbacks/<provider>: card providers tell us; we keep it and ask them."""

from flask import Response, request

from protonpay.deposits import service
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.body import whole_body

blp = AreaBlueprint(
    "callbacks", __name__, door=Door.PUBLIC, prefix="/callbacks", about="Card providers call here"
)

_SIGNED = (
    '<?xml version="1.0" encoding="utf-8"?><response><pg_status>ok</pg_status>'
    "<pg_description>Accepted</pg_description><pg_salt>Qw3rTy9z</pg_salt>"
    "<pg_sig>f47da12ba7b5a1eac6e53315846bcdf8</pg_sig></response>"
)
"""What FreedomPay wants to hear, signed with its shop's key."""


@blp.post("/<provider>", refuses=[413, 503])
@blp.doc(
    requestBody={
        "required": True,
        "description": "As the provider sends it: Tap and YooKassa JSON, FreedomPay a form.",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "application/x-www-form-urlencoded": {
                "schema": {"type": "object", "additionalProperties": {"type": "string"}}
            },
        },
    },
    responses={
        200: {
            "content": {
                "text/plain": {"schema": {"type": "string", "const": "ok"}, "example": "ok"},
                "text/xml": {"schema": {"type": "string"}, "example": _SIGNED},
            }
        }
    },
)
@blp.response(200, description="Kept; the provider is asked what it means.")
def take(provider: str) -> Response:
    """Take a card provider's callback.

    Only the provider itself is believed: what cannot be its word is 400 `forged_callback`.
    What the answer holds is what the provider wants to hear.
    """
    body, media_type = service.take_callback(
        provider,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=whole_body(request),
        remote_addr=request.remote_addr or "",
        path=request.path,
    )
    return Response(body, mimetype=media_type)
