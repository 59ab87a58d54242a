"""Register, login and refresh, as the API document spells them."""

from typing import Any

from marshmallow import fields, validate

from protonpay.auth import failures, sign_ins
from protonpay.kernel.money import Usdc
from protonpay.users.service import User
from protonpay.web import agents
from protonpay.web.fields import Email, Moment, Text, UsdcField, WireSchema
from protonpay.web.paging import Paged, PageQuery

LONGEST_PASSWORD_SENT = 1024
LONGEST_TOKEN = 4096
LONGEST_EMAIL_TOKEN = 128
_TOKEN = {"example": "q1dmWUtz6nX2VZ3oCq0yD8mJ5l7Gk4aT9cRbHsFeUwI"}


class Registration(WireSchema):
    """Who wants an account."""

    name = Text(longest=100, required=True, metadata={"example": "John Doe"})
    email = Email(required=True)
    password = Text(longest=LONGEST_PASSWORD_SENT, required=True)


class Credentials(WireSchema):
    """Who claims to be whom."""

    email = Text(longest=LONGEST_PASSWORD_SENT, required=True)
    password = Text(longest=LONGEST_PASSWORD_SENT, required=True)


class Refresh(WireSchema):
    """A refresh token, good for one use."""

    refresh_token = Text(longest=LONGEST_TOKEN, required=True)


class EmailToken(WireSchema):
    """What a letter's link ends with."""

    token = Text(longest=LONGEST_EMAIL_TOKEN, required=True, metadata=_TOKEN)


class Forgotten(WireSchema):
    """Whose password is forgotten."""

    email = Text(longest=LONGEST_PASSWORD_SENT, required=True)


class Reset(EmailToken):
    """A new password, and what proves whose."""

    password = Text(longest=LONGEST_PASSWORD_SENT, required=True)


class NewEmail(WireSchema):
    """Another address for the account."""

    email = Email(required=True)
    password = Text(longest=LONGEST_PASSWORD_SENT, required=True)


class NewPassword(WireSchema):
    """Another password for the account."""

    password = Text(longest=LONGEST_PASSWORD_SENT, required=True)
    new_password = Text(
        longest=LONGEST_PASSWORD_SENT, required=True, metadata={"example": "evenMoreSecure456"}
    )


class Addressed(WireSchema):
    """The address that was proved, or that a letter is on its way to."""

    email = fields.String()


class PasswordChanged(WireSchema):
    """What a new password ended."""

    ended_sessions = fields.Integer(metadata={"description": "How many other sessions ended."})


class SessionsQuery(PageQuery):
    """Which sign-ins."""

    status = Text(
        longest=16,
        load_default="ACTIVE",
        validate=[validate.OneOf(sign_ins.STATUSES)],
        metadata={"description": "`ANY`: also those that have ended, as a log of sign-ins."},
    )


_AGENT = {"description": "With what, as it called itself.", "example": "Mozilla/5.0"}
_PROGRAM = {
    "type": ["string", "null"],
    "description": "What that is, as people call it, if it is known.",
    "example": "Firefox",
}
_SYSTEM = {"type": ["string", "null"], "example": "Linux"}


class SessionView(WireSchema):
    """A sign-in."""

    id = fields.String()
    address = fields.String(metadata={"description": "From where.", "example": "203.0.113.7"})
    agent = fields.String(metadata=_AGENT)
    program = fields.Function(lambda one: agents.agent(one.agent).program, metadata=_PROGRAM)
    system = fields.Function(lambda one: agents.agent(one.agent).system, metadata=_SYSTEM)
    current = fields.Boolean(metadata={"description": "Whether it is this one."})
    created_at = Moment()
    used_at = Moment(metadata={"description": "When it was opened, or carried on last."})
    ends_at = Moment()
    ended_at = Moment(allow_none=True, metadata={"example": None})
    end_reason = fields.String(
        allow_none=True,
        metadata={
            "enum": list(sign_ins.ENDS),
            "description": "Why it has ended; `ran_out` is one that nobody carried on.",
            "example": None,
        },
    )


class SessionsPage(Paged):
    """A page of sessions."""

    sessions = fields.List(fields.Nested(SessionView))


class FailedSignInView(WireSchema):
    """Attempts to sign in that failed, of ten minutes, from one address and for one reason."""

    id = fields.String()
    reason = fields.String(metadata={"enum": list(failures.REASONS), "example": failures.PASSWORD})
    address = fields.Function(
        lambda one: one.address or None,
        metadata={
            "type": ["string", "null"],
            "description": "From where; null for those beyond so many addresses at once.",
            "example": "203.0.113.7",
        },
    )
    agent = fields.String(metadata=_AGENT)
    program = fields.Function(lambda one: agents.agent(one.agent).program, metadata=_PROGRAM)
    system = fields.Function(lambda one: agents.agent(one.agent).system, metadata=_SYSTEM)
    count = fields.Integer(metadata={"description": "How many there were.", "example": 3})
    created_at = Moment(metadata={"description": "When the first of them came."})
    last_at = Moment()


class FailedSignInsPage(Paged):
    """A page of sign-ins that failed."""

    failed = fields.List(fields.Nested(FailedSignInView))


class UserView(WireSchema):
    """A user, as they see themselves."""

    id = fields.String()
    email = fields.String()
    name = fields.String()
    role = fields.String()
    public_id = fields.String()


class UserWithBalance(UserView):
    """A user at sign-in."""

    balance_usdc = UsdcField()


class Tokens(WireSchema):
    """A pair of tokens: 15 minutes and 7 days."""

    token = fields.String()
    refresh_token = fields.String()


class Registered(Tokens):
    """The answer of ``POST /auth/register``."""

    user = fields.Nested(UserView)


class LoggedIn(Tokens):
    """The answer of ``POST /auth/login``."""

    user = fields.Nested(UserWithBalance)


def with_balance(user: User, balance: Usdc) -> dict[str, Any]:
    """Say who signed in, and what they have."""
    shown = {name: getattr(user, name) for name in UserView().fields}
    return {**shown, "balance_usdc": balance}
