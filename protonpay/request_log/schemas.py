"""/client/requests."""

from marshmallow import fields, validate

from protonpay.kernel import ids
from protonpay.request_log.recording import LONGEST_BODY
from protonpay.request_log.service import OUTCOMES
from protonpay.web.fields import Moment, QueryNumber, Text, WireSchema
from protonpay.web.paging import HistoryQuery, Listing, ListingQuery, Paged

_ROUTE = {
    "example": "/api/client/withdraw",
    "description": "The path, its parts by name: `/api/client/withdraw/{payout_id}`.",
}
_CODE = {"example": "insufficient_balance", "description": "Of a refusal."}


class RequestsQuery(HistoryQuery):
    """Which requests."""

    outcome = Text(
        longest=16,
        load_default=None,
        validate=[validate.OneOf(OUTCOMES)],
        metadata={
            "example": "refused",
            "description": "`refused` is 400 to 499, `failed` is ours: 500 and more.",
        },
    )
    key_id = Text(
        longest=64,
        load_default=None,
        validate=[validate.Regexp(f"^{ids.ID_PATTERN.pattern}$")],
        metadata={"example": "cmg7xk2p91q0v8r3t5w6y4zab"},
    )
    code = Text(
        longest=64,
        load_default=None,
        validate=[validate.Regexp("^[a-z][a-z_]*$")],
        metadata=_CODE,
    )
    route = Text(
        longest=200,
        load_default=None,
        validate=[validate.Regexp("^/api/[a-z0-9/{}_-]*$")],
        metadata=_ROUTE,
    )
    request_id = Text(
        longest=64,
        load_default=None,
        validate=[validate.Regexp(f"^{ids.REQUEST_ID_PATTERN.pattern}$")],
        metadata={
            "example": "req_cmg7xk2p91q0v8r3t5w6y4zab",
            "description": "As in `X-Request-Id`, also one that you chose.",
        },
    )


class TroubleQuery(ListingQuery):
    """Of which span of time; of the last seven days unless it is said."""

    since = Moment(data_key="from", load_default=None)
    until = Moment(data_key="to", load_default=None)


class RequestView(WireSchema):
    """One request of an API key."""

    id = fields.String()
    request_id = fields.String(metadata={"description": "The `X-Request-Id` of the answer."})
    key_id = fields.String(
        metadata={
            "example": "cmg7xk2p91q0v8r3t5w6y4zab",
            "description": "With which key; it may be revoked by now.",
        }
    )
    method = fields.String(metadata={"example": "POST"})
    route = fields.String(metadata=_ROUTE)
    path = fields.String(
        metadata={"example": "/api/client/withdraw", "description": "As called, with its query."}
    )
    status = fields.Integer(metadata={"example": 400})
    code = fields.String(allow_none=True, metadata=_CODE)
    milliseconds = fields.Integer(metadata={"example": 12})
    idempotency_key = fields.String(allow_none=True, metadata={"example": "order-1042"})
    address = fields.String(metadata={"example": "203.0.113.7", "description": "Of the caller."})
    agent = fields.String(allow_none=True, metadata={"example": "python-requests/2.32.3"})
    created_at = Moment()


class RequestDetails(RequestView):
    """One request with what was sent, and what was refused."""

    body = fields.String(
        allow_none=True,
        metadata={
            "example": '{"amount":"5000.00","network":"Base"}',
            "description": "As it came, up to "
            f"{LONGEST_BODY} characters; what looks like a secret of ours is taken out.",
        },
    )
    answer = fields.String(
        allow_none=True,
        metadata={
            "example": '{"status":400,"code":"insufficient_balance"}',
            "description": "The problem of a refusal.",
        },
    )


class RequestAnswer(WireSchema):
    """One request."""

    request = fields.Nested(RequestDetails)


class RequestsPage(Paged):
    """A page of requests."""

    requests = fields.List(fields.Nested(RequestView))


class TroubleView(WireSchema):
    """Refusals of one kind."""

    method = fields.String(metadata={"example": "POST"})
    route = fields.String(metadata=_ROUTE)
    status = fields.Integer(metadata={"example": 400})
    code = fields.String(allow_none=True, metadata=_CODE)
    count = fields.Integer(metadata={"example": 12})
    last_at = Moment()
    last_id = fields.String(
        metadata={"example": "cmg7xk2p91q0v8r3t5w6y4zab", "description": "The newest of them."}
    )


class TroubleAnswer(Listing):
    """The refusals of a span of time."""

    errors = fields.List(fields.Nested(TroubleView))


class UsageQuery(ListingQuery):
    """Of how many days."""

    days = QueryNumber(
        load_default=30,
        validate=validate.Range(min=1, max=30),
        metadata={"description": "The last ones in your time zone, today with them."},
    )


class UsageView(WireSchema):
    """What a key asked on a day."""

    day = fields.String(metadata={"format": "date", "example": "2026-03-14"})
    key_id = fields.String(metadata={"example": "cmg7xk2p91q0v8r3t5w6y4zab"})
    requests = fields.Integer(metadata={"example": 1200})
    refused = fields.Integer(
        metadata={"example": 12, "description": "Of them, answered with 400 or more."}
    )


class UsageAnswer(Listing):
    """What keys asked by day, oldest first; a day without requests is left out."""

    days = fields.List(fields.Nested(UsageView))
