"""POST /client/webhooks, as the API document spells it."""

from marshmallow import fields, validate

from protonpay.kernel import events
from protonpay.web.fields import Text, WireSchema

_LONGEST_URL = 2048


class WebhookOrder(WireSchema):
    """Where to send which events."""

    url = Text(longest=_LONGEST_URL, required=True, metadata={"format": "uri"})
    events = fields.List(
        Text(longest=64, metadata={"enum": list(events.NAMES)}),
        required=True,
        validate=validate.Length(min=1, max=len(events.NAMES)),
    )


class WebhookView(WireSchema):
    """An endpoint."""

    id = fields.String()
    url = fields.String()
    events = fields.List(fields.String())


class WebhookWithSecret(WebhookView):
    """A new endpoint; the secret is shown this once."""

    secret = fields.String(metadata={"example": "whsec_..."})


class WebhookAnswer(WireSchema):
    """The answer of ``POST /client/webhooks``."""

    webhook = fields.Nested(WebhookWithSecret)
