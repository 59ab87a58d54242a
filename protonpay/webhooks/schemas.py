"""/client/webhooks, as the API document spells it."""

from typing import Any

from marshmallow import fields, validate

from protonpay.kernel import events
from protonpay.web.fields import Moment, Secret, Text, WireSchema, YesNo
from protonpay.web.paging import Paged
from protonpay.webhooks.models import WebhookEndpoint

_LONGEST_URL = 2048
_LONGEST_DESCRIPTION = 200


def _url(*, required: bool) -> Text:
    return Text(longest=_LONGEST_URL, required=required, metadata={"format": "uri"})


def _events(*, required: bool) -> fields.List[str]:
    return fields.List(
        Text(longest=64, metadata={"enum": list(events.NAMES)}),
        required=required,
        validate=validate.Length(min=1, max=len(events.NAMES)),
        metadata={"uniqueItems": True},
    )


def _description() -> Text:
    return Text(longest=_LONGEST_DESCRIPTION, allow_none=True)


class WebhookOrder(WireSchema):
    """Where to send which events."""

    url = _url(required=True)
    events = _events(required=True)
    description = _description()


class WebhookChange(WireSchema):
    """What shall be different; what is not named stays as it is."""

    url = _url(required=False)
    events = _events(required=False)
    enabled = YesNo()
    description = _description()


class WebhookView(WireSchema):
    """An endpoint; never its secret."""

    id = fields.String()
    url = fields.String()
    events = fields.List(fields.String(metadata={"enum": list(events.NAMES)}))
    enabled = fields.Boolean()
    disabled_reason = fields.String(
        allow_none=True,
        metadata={
            "description": "`by_owner`; `gone` after an answer of 410; `failing` after three days "
            "without a success; `blocked_address` after a day at an address we do not go to."
        },
    )
    description = fields.String(allow_none=True)
    created_at = Moment()


class WebhookWithSecret(WebhookView):
    """A new endpoint; the secret is shown this once."""

    secret = Secret(metadata={"example": "whsec_..."})


class NewWebhook(WireSchema):
    """The answer of ``POST /client/webhooks``."""

    webhook = fields.Nested(WebhookWithSecret)


class WebhookAnswer(WireSchema):
    """One endpoint."""

    webhook = fields.Nested(WebhookView)


class WebhooksPage(Paged):
    """A page of endpoints."""

    webhooks = fields.List(fields.Nested(WebhookView))


def with_secret(endpoint: WebhookEndpoint, secret: str) -> dict[str, Any]:
    """Say what was registered, and its secret."""
    shown = {name: getattr(endpoint, name) for name in WebhookView().fields}
    return {**shown, "secret": secret}
