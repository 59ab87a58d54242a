"""/client/notifications, as the API document spells it."""

from marshmallow import fields, validate

from protonpay.kernel import events, ids, notices
from protonpay.notifications.service import KINDS, MOST_COUNTED, SECURITY, SHOWS
from protonpay.web.fields import Moment, Text, WholeNumber, WireSchema, YesNo
from protonpay.web.paging import Paged, PageQuery

_ID = f"^(evt_)?{ids.ID_PATTERN.pattern}$"
_EXAMPLE = "evt_cmg7xk2p91q0v8r3t5w6y4zab"
_AT_ONCE = 100
_FARTHEST = 10**12 - 1
_UNREAD = {"example": 3, "description": f"Counted up to {MOST_COUNTED}."}


class NotificationsQuery(PageQuery):
    """Which notifications."""

    show = Text(
        longest=16,
        load_default=None,
        validate=[validate.OneOf(SHOWS)],
        metadata={
            "example": "unread",
            "description": "`unread`, or `standing`: what is wrong until somebody mends it.",
        },
    )


class NotificationView(WireSchema):
    """Something to be seen."""

    id = fields.String(
        metadata={
            "pattern": _ID,
            "example": _EXAMPLE,
            "description": "Of the event; of what stands, the id of the thing it is about.",
        }
    )
    kind = fields.String(metadata={"enum": list(KINDS), "example": events.DEPOSIT_CONFIRMED})
    standing = fields.Boolean(
        metadata={"description": "It is there until it is mended: it is no event."}
    )
    sequence = fields.Integer(
        allow_none=True,
        metadata={"example": 1, "description": "Of the event in the event log."},
    )
    data = fields.Dict(metadata={"type": "object", "example": {"id": "cmg7xk2p91q0v8r3t5w6y4zab"}})
    read = fields.Boolean(metadata={"description": "By you: each member of a team has their own."})
    created_at = Moment()


class NotificationsPage(Paged):
    """A page of notifications."""

    notifications = fields.List(fields.Nested(NotificationView))


class ReadRequest(WireSchema):
    """What you have read; all of it, if nothing is said."""

    ids = fields.List(
        fields.String(
            validate=validate.Regexp(_ID),
            metadata={"example": _EXAMPLE},
        ),
        attribute="some",
        validate=validate.Length(min=1, max=_AT_ONCE),
        metadata={"description": "These; one that is not of this account is passed over."},
    )
    up_to = WholeNumber(
        validate=validate.Range(min=0, max=_FARTHEST),
        metadata={
            "example": 1,
            "description": "Every event up to this number, the `sequence` you saw first.",
        },
    )


class UnreadAnswer(WireSchema):
    """How much is unread."""

    unread_count = fields.Integer(metadata=_UNREAD)


class LetterChoice(WireSchema):
    """Whether you want letters of a kind."""

    kind = Text(
        longest=64,
        required=True,
        validate=[validate.OneOf(list(notices.LETTERS))],
        metadata={"example": events.INVOICE_PAID},
    )
    email = YesNo(required=True, metadata={"example": False})


class ChoicesRequest(WireSchema):
    """What shall be otherwise; a kind that is not named stays as it is."""

    preferences = fields.List(
        fields.Nested(LetterChoice),
        required=True,
        validate=validate.Length(min=1, max=_AT_ONCE),
    )


class ChoiceView(WireSchema):
    """How an account is told of a kind."""

    kind = fields.String(
        metadata={"enum": [*notices.LETTERS, SECURITY], "example": events.INVOICE_PAID}
    )
    email = fields.Boolean(
        metadata={"description": "By letter to the owner's address.", "example": True}
    )
    fixed = fields.Boolean(
        metadata={
            "description": f"It cannot be switched off: `{SECURITY}` is every letter about "
            "passwords, devices, second factors and the team."
        }
    )


class ChoicesAnswer(WireSchema):
    """How an account is told of each kind."""

    preferences = fields.List(fields.Nested(ChoiceView))
