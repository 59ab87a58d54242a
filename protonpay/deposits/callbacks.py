"""POST /callbacks/<provider>: card providers tell us; we keep it and ask them."""

from flask import Response, request

from protonpay.deposits import service
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.body import whole_body

blp = AreaBlueprint(
    "callbacks", __name__, door=Door.PUBLIC, prefix="/callbacks", about="Card providers call here"
)


@blp.post("/<provider>", refuses=[413, 503])
@blp.doc(
    requestBody={
        "required": True,
        "description": "As the provider sends and signs it.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
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
