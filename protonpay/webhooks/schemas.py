"""/client/webhooks, as the API document spells it."""

from typing import Any

from marshmallow import fields, validate

from protonpay.kernel import events, ids
from protonpay.web.fields import Moment, Secret, Text, WholeNumber, WireSchema, YesNo
from protonpay.web.paging import Listing, Paged, PageQuery
from protonpay.webhooks import health
from protonpay.webhooks.history import Opened
from protonpay.webhooks.models import WebhookEndpoint
from protonpay.webhooks.rotation import DEFAULT_OVERLAP, LONGEST_OVERLAP
from protonpay.webhooks.states import DELIVERY

EXAMPLE_EVENT = "evt_cmg7xk2p91q0v8r3t5w6y4zab"

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


def _throttle() -> WholeNumber:
    return WholeNumber(
        allow_none=True,
        validate=validate.Range(min=1, max=100),
        metadata={"description": "At most so many attempts a second; null for no limit."},
    )


class WebhookOrder(WireSchema):
    """Where to send which events."""

    url = _url(required=True)
    events = _events(required=True)
    description = _description()
    throttle_per_second = _throttle()


class WebhookChange(WireSchema):
    """What shall be different; what is not named stays as it is."""

    url = _url(required=False)
    events = _events(required=False)
    enabled = YesNo()
    description = _description()
    throttle_per_second = _throttle()


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
    throttle_per_second = fields.Integer(
        allow_none=True,
        metadata={"description": "null: as fast as it answers.", "example": None},
    )
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


class Rotation(WireSchema):
    """How long the old secret still verifies."""

    overlap_seconds = WholeNumber(
        load_default=int(DEFAULT_OVERLAP.total_seconds()),
        validate=validate.Range(min=0, max=int(LONGEST_OVERLAP.total_seconds())),
        metadata={"description": "0 for a secret that has leaked: it ends at once."},
    )


class TestOrder(WireSchema):
    """Which event to send as a test."""

    event = Text(
        longest=64,
        load_default=events.DEPOSIT_CONFIRMED,
        validate=[validate.OneOf(events.NAMES)],
    )


class Recovery(WireSchema):
    """A span of time."""

    since = Moment(required=True)
    until = Moment(load_default=None, allow_none=True)


class Replay(WireSchema):
    """From where on."""

    after = WholeNumber(
        required=True,
        validate=validate.Range(min=0),
        metadata={"description": "Events above this number of the log.", "example": 0},
    )


class QueuedView(WireSchema):
    """How many deliveries were queued."""

    queued = fields.Integer(
        metadata={"description": "At most 10,000 at once: ask again until it is 0."}
    )


class ReplayedView(WireSchema):
    """How many deliveries were queued, and how far that is."""

    queued = fields.Integer(metadata={"description": "Of the next 10,000 events of the log."})
    up_to = fields.Integer(
        metadata={
            "description": "The last number it came to: go on after it until it is `lastSequence`.",
            "example": 1,
        }
    )


class TestSent(WireSchema):
    """The test that is on its way."""

    event_id = fields.String(metadata={"example": EXAMPLE_EVENT})


class DeliveryView(WireSchema):
    """An event on its way to an endpoint, or at its end."""

    id = fields.String(
        metadata={
            "description": "Of the event: the `webhook-id` of every attempt.",
            "pattern": f"^{ids.EVENT_ID_PATTERN.pattern}$",
            "example": EXAMPLE_EVENT,
        }
    )
    event = fields.String(metadata={"enum": list(events.NAMES)})
    status = fields.String(metadata={"enum": list(DELIVERY.states)})
    attempts = fields.Integer()
    next_attempt_at = Moment(allow_none=True)
    created_at = Moment(metadata={"description": "When the event happened."})
    ended_at = Moment(allow_none=True)


class EventDeliveryView(DeliveryView):
    """An event on its way to one of several endpoints, or at its end."""

    webhook_id = fields.String(
        metadata={"description": "Of the endpoint.", "example": "cmg7xk2p91q0v8r3t5w6y4zab"}
    )
    url = fields.String(metadata={"description": "Where the endpoint listens now."})


class EventDeliveries(Listing):
    """Whom an event was for."""

    deliveries = fields.List(fields.Nested(EventDeliveryView))


class SentHeaders(WireSchema):
    """The headers that an attempt had of ours."""

    content_type = fields.String(data_key="Content-Type")
    user_agent = fields.String(data_key="User-Agent")
    webhook_id = fields.String(data_key="webhook-id", metadata={"example": EXAMPLE_EVENT})
    webhook_timestamp = fields.String(
        data_key="webhook-timestamp", metadata={"example": "1773482400"}
    )
    webhook_signature = fields.String(
        data_key="webhook-signature", metadata={"example": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9"}
    )


class SentRequest(WireSchema):
    """What an attempt sent; the body is the delivery's."""

    url = fields.String()
    headers = fields.Nested(SentHeaders)


class AttemptView(WireSchema):
    """What one attempt sent and met."""

    number = fields.Integer()
    trigger = fields.String(
        metadata={
            "enum": ["auto", "manual"],
            "description": "`manual` if you asked for it (`resend`).",
        }
    )
    began_at = Moment()
    request = fields.Nested(
        SentRequest, allow_none=True, metadata={"description": "null of attempts before 2026-11."}
    )
    milliseconds = fields.Integer()
    status = fields.Integer(
        allow_none=True, metadata={"description": "null if nothing was answered.", "example": 200}
    )
    outcome = fields.String(
        metadata={
            "description": "`delivered`, or what went wrong, such as `timeout`, `tls_error`, "
            "`blocked_address`, `http_error`.",
            "example": "delivered",
        }
    )
    response = fields.String(metadata={"description": "Its first 2 KiB.", "example": "ok"})


class OpenedView(DeliveryView):
    """A delivery with all that was said."""

    body = fields.String(
        metadata={
            "description": "What is sent, but for `signature`.",
            "example": '{"event":"deposit.confirmed","data":{...},"timestamp":"..."}',
        }
    )
    tries = fields.List(fields.Nested(AttemptView))


class DeliveryAnswer(WireSchema):
    """One delivery."""

    delivery = fields.Nested(OpenedView)


class DeliveriesQuery(PageQuery):
    """Which deliveries."""

    status = Text(longest=32, load_default=None, validate=[validate.OneOf(DELIVERY.states)])
    event = Text(longest=64, load_default=None, validate=[validate.OneOf(events.NAMES)])


class DeliveriesPage(Paged):
    """A page of deliveries."""

    deliveries = fields.List(fields.Nested(DeliveryView))


def opened(found: Opened) -> dict[str, Any]:
    """Say all of one delivery."""
    shown = {name: getattr(found.delivery, name) for name in DeliveryView().fields}
    return {**shown, "body": found.body, "tries": found.tries}


class WebhooksPage(Paged):
    """A page of endpoints."""

    webhooks = fields.List(fields.Nested(WebhookView))


def with_secret(endpoint: WebhookEndpoint, secret: str) -> dict[str, Any]:
    """Say what was registered, and its secret."""
    shown = {name: getattr(endpoint, name) for name in WebhookView().fields}
    return {**shown, "secret": secret}


_P95 = {
    "example": 180,
    "description": "Of 100 attempts, 95 took at most so long; null without any.",
}


class HourView(WireSchema):
    """Attempts of an hour."""

    begins_at = Moment(attribute="begins")
    delivered = fields.Integer(metadata={"example": 40})
    failed = fields.Integer(metadata={"example": 1})
    p95_milliseconds = fields.Integer(attribute="p95", allow_none=True, metadata=_P95)


class HealthBrief(WireSchema):
    """How an endpoint has answered in the last 24 hours."""

    state = fields.String(metadata={"enum": health.STATES, "example": health.HEALTHY})
    failing_since = Moment(
        allow_none=True,
        metadata={"example": None, "description": "Its first failure after its last success."},
    )
    delivered = fields.Integer(metadata={"example": 960, "description": "Attempts that it took."})
    failed = fields.Integer(metadata={"example": 24, "description": "Attempts that it did not."})
    success_percent = fields.Integer(
        attribute="percent",
        allow_none=True,
        metadata={"example": 97, "description": "Rounded down; null without any attempt."},
    )
    p95_milliseconds = fields.Integer(attribute="p95", allow_none=True, metadata=_P95)


class HealthView(HealthBrief):
    """The same, hour by hour."""

    hours = fields.List(fields.Nested(HourView), metadata={"description": "24, oldest first."})


class HealthRow(HealthBrief):
    """The same, of one of several."""

    id = fields.String(metadata={"description": "Of the endpoint."})


class HealthPage(Paged):
    """How the endpoints of a page are."""

    webhooks = fields.List(fields.Nested(HealthRow))


class HealthAnswer(WireSchema):
    """How an endpoint is."""

    health = fields.Nested(HealthView)
