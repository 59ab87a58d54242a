"""What the library checks of a device's answer, with the names that this installation goes by.

WebAuthn Level 3 §7.1 and §7.2. The count of signatures is judged by the service, which keeps
what a copied key did; the library would only refuse it.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import webauthn
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

NAME = "ProtonPay"
TIMEOUT_MS = 300_000

_LOOPBACK = "127.0.0.1"
# What the library lets through of an answer that no device has made.
_MALFORMED = (
    WebAuthnException,
    InvalidSignature,
    UnsupportedAlgorithm,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    RecursionError,
    struct.error,
)


class NotProved(Exception):
    """A device's answer that proves nothing."""


@dataclass(frozen=True, slots=True)
class Added:
    """The public half of a new key pair."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


class RelyingParty:
    """This installation, as browsers and devices know it; bound by create_app."""

    def __init__(self) -> None:
        self._id = self._origin = ""

    def bind(self, public_url: str) -> None:
        """Take the names from ``PUBLIC_URL``.

        A passkey belongs to a domain, never to a number: at ``http://127.0.0.1:8000`` they work
        for who opens ``http://localhost:8000``.
        """
        parts = urlsplit(public_url)
        host = parts.hostname or ""
        self._id = "localhost" if host == _LOOPBACK else host
        port = "" if parts.port is None else f":{parts.port}"
        self._origin = f"{parts.scheme}://{self._id}{port}"

    def adding(
        self, user_id: str, email: str, name: str, challenge: bytes, have: Sequence[bytes]
    ) -> Mapping[str, Any]:
        """Return what ``navigator.credentials.create`` is given.

        Args:
            user_id: opaque, which is what a user handle must be (§14.6.1).
            email: what the device shows of the account.
            name: whose it is, shown beside it.
            challenge: to sign.
            have: credential ids of the passkeys there are: a device holds one.
        """
        options = webauthn.generate_registration_options(
            rp_id=self._id,
            rp_name=NAME,
            user_id=user_id.encode(),
            user_name=email,
            user_display_name=name,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            exclude_credentials=_described(have),
            authenticator_selection=AuthenticatorSelectionCriteria(
                # Signing in asks for no name: the device must know whose key it is.
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
        )
        return _as_json(options)

    def signing(self, challenge: bytes, have: Sequence[bytes] = ()) -> Mapping[str, Any]:
        """Return what ``navigator.credentials.get`` is given; without ``have``, any key may."""
        options = webauthn.generate_authentication_options(
            rp_id=self._id,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            allow_credentials=_described(have),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return _as_json(options)

    def added(self, credential: Mapping[str, Any], challenge: bytes) -> Added:
        """Judge the answer of ``navigator.credentials.create``.

        Raises:
            NotProved: of another origin, domain or challenge, without a look at its user, or
                not well formed.
        """
        try:
            found = webauthn.verify_registration_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=self._id,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except _MALFORMED as error:
            raise NotProved from error
        return Added(found.credential_id, found.credential_public_key, found.sign_count)

    def signed(self, credential: Mapping[str, Any], challenge: bytes, *, public_key: bytes) -> int:
        """Judge the answer of ``navigator.credentials.get``; return its count of signatures.

        Raises:
            NotProved: as ``added``, or signed by another key.
        """
        try:
            found = webauthn.verify_authentication_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=self._id,
                expected_origin=self._origin,
                credential_public_key=public_key,
                credential_current_sign_count=0,
                require_user_verification=True,
            )
        except _MALFORMED as error:
            raise NotProved from error
        return found.new_sign_count


relying_party = RelyingParty()


def credential_id(credential: Mapping[str, Any]) -> bytes:
    """Return the name by which a device calls the key that it answered with.

    Raises:
        NotProved: it is none.
    """
    return _bytes(credential["id"])


def user_handle(credential: Mapping[str, Any]) -> str | None:
    """Return whose key a device says it answered with, if it says so.

    Raises:
        NotProved: it is no handle of ours.
    """
    told = credential["response"].get("userHandle")
    if told is None:
        return None
    try:
        return _bytes(told).decode("ascii")
    except ValueError as error:
        raise NotProved from error


def _bytes(text: str) -> bytes:
    try:
        return webauthn.base64url_to_bytes(text)
    except ValueError as error:
        raise NotProved from error


def _described(ids: Sequence[bytes]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=one) for one in ids]


def _as_json(options: Any) -> Mapping[str, Any]:
    made: Mapping[str, Any] = json.loads(webauthn.options_to_json(options))
    return made
