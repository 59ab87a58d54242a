"""/client/notifications, as the API document spells it."""

from marshmallow import fields, validate

from protonpay.kernel import events, ids, notices
from protonpay.notifications.service import KINDS, MOST_COUNTED, SECURITY, SHOWS
from protonpay.web.fields import Moment, Secret, Text, WholeNumber, WireSchema, YesNo
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


class KindChoice(WireSchema):
    """Whether you want to be told of a kind, by letter and in Telegram; what is left out stays."""

    kind = Text(
        longest=64,
        required=True,
        validate=[validate.OneOf(list(notices.LETTERS))],
        metadata={"example": events.INVOICE_PAID},
    )
    email = YesNo(metadata={"example": False})
    telegram = YesNo(
        metadata={
            "description": "409 `telegram_not_set_up` where there is no bot.",
            "example": True,
        }
    )


class ChoicesRequest(WireSchema):
    """What shall be otherwise; a kind that is not named stays as it is."""

    preferences = fields.List(
        fields.Nested(KindChoice),
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
    telegram = fields.Boolean(
        metadata={
            "description": "In the Telegram chat of the account, if it has one; false where there "
            "is no bot.",
            "example": True,
        }
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


class TelegramView(WireSchema):
    """How an account stands with Telegram."""

    available = fields.Boolean(metadata={"description": "Whether there is a bot here."})
    linked = fields.Boolean(metadata={"description": "Whether the account has a chat with it."})
    username = fields.String(
        allow_none=True,
        metadata={
            "example": "anna",
            "description": "As its owner was called in Telegram when it was linked.",
        },
    )
    linked_at = Moment(allow_none=True)


class TelegramAnswer(WireSchema):
    """The answer of ``GET /client/notifications/telegram``."""

    telegram = fields.Nested(TelegramView)


class TelegramLinkView(WireSchema):
    """What links a chat."""

    url = Secret(
        metadata={
            "format": "uri",
            "example": "https://t.me/example_bot?start=Zm9yIGFuIGV4YW1wbGUgb25seSE",
            "description": "Open it in Telegram and press Start. It works once; who has it links "
            "their chat to the account.",
        }
    )
    expires_at = Moment()


class TelegramLinkAnswer(WireSchema):
    """The answer of ``POST /client/notifications/telegram``."""

    link = fields.Nested(TelegramLinkView)
