"""Register, login and refresh, as the API document spells them."""

from typing import Any

from marshmallow import fields

from protonpay.kernel.money import Usdc
from protonpay.users.service import User
from protonpay.web.fields import Email, Text, UsdcField, WireSchema

LONGEST_PASSWORD_SENT = 1024
LONGEST_TOKEN = 4096


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
