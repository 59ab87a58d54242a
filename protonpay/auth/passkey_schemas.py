"""/client/passkeys and /auth/passkey; what a device says is spelled as WebAuthn spells it."""

import re

from marshmallow import fields, validate

from protonpay.auth.schemas import LONGEST_PASSWORD_SENT, LONGEST_TOKEN
from protonpay.web.fields import Moment, Text, WireSchema
from protonpay.web.paging import Paged

# An attestation with its certificates is a few KiB.
_LONGEST_PART = 16_384
_LONGEST_ID = 2_048
_LONGEST_WORD = 64
_LONGEST_NAME = 100
_MOST_TRANSPORTS = 10
_ID = {"example": "cmg7xk2p91q0v8r3t5w6y4zab"}
_BASE64URL = r"^[A-Za-z0-9_-]+$"
_CREDENTIAL_ID = {"example": "r2sWbZ3mS1m0m7rP0uXbVw", "pattern": _BASE64URL}
_NAME = {"example": "Phone"}
_OPTIONS = {
    "type": "object",
    "description": "For `PublicKeyCredential.parseCreationOptionsFromJSON` or "
    "`parseRequestOptionsFromJSON`.",
    "example": {"challenge": "q1dmWUtz6nX2VZ3oCq0yD8mJ5l7Gk4aT9cRbHsFeUwI", "timeout": 300000},
}


def _part(example: str, *, key: str, required: bool = False) -> Text:
    return Text(
        longest=_LONGEST_PART,
        required=required,
        allow_none=not required,
        data_key=key,
        metadata={"example": example},
    )


def _credential_id() -> Text:
    plain = validate.Regexp(_BASE64URL, re.ASCII)
    return Text(longest=_LONGEST_ID, required=True, validate=[plain], metadata=_CREDENTIAL_ID)


class _Answered(WireSchema):
    """What ``PublicKeyCredential.toJSON()`` says, whichever question it answers."""

    id = _credential_id()
    raw_id = _credential_id()
    type = fields.String(required=True, validate=validate.OneOf(["public-key"]))
    authenticator_attachment = Text(
        longest=_LONGEST_WORD, allow_none=True, metadata={"example": "platform"}
    )
    client_extension_results = fields.Dict(metadata={"type": "object", "example": {}})


class Attested(WireSchema):
    """The new key, and what the browser says of it."""

    client_data_json = _part("eyJ0eXBlIjoid2ViYXV0aG4uY3Jl...", key="clientDataJSON", required=True)
    attestation_object = _part(
        "o2NmbXRkbm9uZWdhdHRTdG10...", key="attestationObject", required=True
    )
    transports = fields.List(
        Text(longest=_LONGEST_WORD, metadata={"example": "internal"}),
        validate=validate.Length(max=_MOST_TRANSPORTS),
    )
    authenticator_data = _part("SZYN5YgOjGh0NBcPZHZgW4_k...", key="authenticatorData")
    public_key = _part("MFkwEwYHKoZIzj0CAQYIKoZI...", key="publicKey")
    public_key_algorithm = fields.Integer(
        strict=True, data_key="publicKeyAlgorithm", metadata={"example": -7}
    )


class Asserted(WireSchema):
    """A signature, and what it stands under."""

    client_data_json = _part("eyJ0eXBlIjoid2ViYXV0aG4uZ2V0...", key="clientDataJSON", required=True)
    authenticator_data = _part(
        "SZYN5YgOjGh0NBcPZHZgW4_k...", key="authenticatorData", required=True
    )
    signature = _part("MEUCIQDx4nJ0c0m8v1yZt5p2...", key="signature", required=True)
    user_handle = _part("Y21nN3hrMnA5MXEwdjhyM3Q1...", key="userHandle")


class NewCredential(_Answered):
    """The answer of ``navigator.credentials.create``, by its ``toJSON()``."""

    response = fields.Nested(Attested, required=True)


class SignedCredential(_Answered):
    """The answer of ``navigator.credentials.get``, by its ``toJSON()``."""

    response = fields.Nested(Asserted, required=True)


class NewPasskey(WireSchema):
    """A passkey that a device has made."""

    challenge_id = Text(longest=_LONGEST_WORD, required=True, metadata=_ID)
    name = Text(longest=_LONGEST_NAME, required=True, metadata=_NAME)
    credential = fields.Nested(NewCredential, required=True)


class PasskeyOwner(WireSchema):
    """The password, once more, before a device makes a passkey."""

    password = Text(longest=LONGEST_PASSWORD_SENT, required=True)


class PasskeyName(WireSchema):
    """What a passkey is called."""

    name = Text(longest=_LONGEST_NAME, required=True, metadata=_NAME)


class Asking(WireSchema):
    """Whether it is the second step of a sign-in."""

    mfa_token = Text(longest=LONGEST_TOKEN, metadata={"example": "eyJhbGciOiJIUzI1NiIs..."})


class Signed(Asking):
    """What a device signed, and whether it is the second step of a sign-in."""

    challenge_id = Text(longest=_LONGEST_WORD, required=True, metadata=_ID)
    credential = fields.Nested(SignedCredential, required=True)


class PasskeyOptions(WireSchema):
    """What the browser hands to a device."""

    challenge_id = fields.String(metadata=_ID)
    public_key = fields.Dict(metadata=_OPTIONS)
    expires_at = Moment(metadata={"description": "Answer before then."})


class OptionsAnswer(WireSchema):
    """The answer of a call that asks a device."""

    options = fields.Nested(PasskeyOptions)


class PasskeyView(WireSchema):
    """A passkey."""

    id = fields.String()
    name = fields.String(metadata=_NAME)
    created_at = Moment()
    used_at = Moment(allow_none=True, metadata={"description": "When it last signed in."})
    suspended_at = Moment(
        allow_none=True,
        metadata={"description": "When it was found to be copied; it opens nothing since."},
    )


class PasskeyAnswer(WireSchema):
    """One passkey."""

    passkey = fields.Nested(PasskeyView)


class PasskeysPage(Paged):
    """A page of passkeys."""

    passkeys = fields.List(fields.Nested(PasskeyView))
