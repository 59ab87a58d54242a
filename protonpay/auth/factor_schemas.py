"""/client/2fa and /auth/2fa, as the documents spell them."""

from marshmallow import fields

from protonpay.auth.schemas import LONGEST_PASSWORD_SENT, LONGEST_TOKEN
from protonpay.web.fields import Moment, Secret, Text, WireSchema

_CODE = {"example": "123456"}
_RECOVERY_CODE = "ABCDEF-GHIJKL-MNOPQR-STUVWX"
_LONGEST_CODE = 64


class PasswordAgain(WireSchema):
    """The password, once more."""

    password = Text(longest=LONGEST_PASSWORD_SENT, required=True)


class FirstCode(WireSchema):
    """A code of the app that was set up."""

    code = Text(longest=_LONGEST_CODE, required=True, metadata=_CODE)


class SecondStep(WireSchema):
    """The second step of a sign-in."""

    mfa_token = Text(
        longest=LONGEST_TOKEN, required=True, metadata={"example": "eyJhbGciOiJIUzI1NiIs..."}
    )
    code = Text(longest=_LONGEST_CODE, required=True, metadata=_CODE)


class FactorView(WireSchema):
    """How the second factor stands."""

    enabled = fields.Boolean(metadata={"example": True})
    enabled_at = Moment(allow_none=True)
    codes_left = fields.Integer(
        metadata={"description": "Recovery codes that were not used.", "example": 10}
    )
    reset_at = Moment(
        allow_none=True,
        metadata={
            "example": None,
            "description": "When it is taken away, as somebody asked who said that it is lost.",
        },
    )


class FactorAnswer(WireSchema):
    """How the second factor stands."""

    two_factor = fields.Nested(FactorView)


class SetupView(WireSchema):
    """What an app is told, shown this once."""

    secret = Secret(
        metadata={
            "description": "For typing, base32.",
            "example": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        }
    )
    uri = Secret(
        metadata={
            "description": "For an app on the same device.",
            "example": "otpauth://totp/ProtonPay:john%40example.com?secret=...&issuer=ProtonPay",
        }
    )
    qr_svg = Secret(metadata={"description": "The same, for scanning.", "example": "<svg ...>"})
    expires_at = Moment(metadata={"description": "Enable it before then."})


class SetupAnswer(WireSchema):
    """The answer of ``POST /client/2fa/setup``."""

    setup = fields.Nested(SetupView)


class CodesAnswer(WireSchema):
    """Ten recovery codes, shown this once."""

    recovery_codes = fields.List(
        Secret(metadata={"example": _RECOVERY_CODE}),
        allow_none=True,
        metadata={"minItems": 10, "maxItems": 10, "example": [_RECOVERY_CODE] * 10},
    )
