"""A device that holds passkeys, in software: real keys, CBOR and signatures (WebAuthn §6)."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.actors import PASSWORD, Actor

ORIGIN = "http://localhost:8000"
DOMAIN = "localhost"

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40
_COORDINATE = 32


def encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Device:
    """One P-256 key of one account.

    Attributes:
        count: signatures so far; ``counts`` is False for those that always say 0.
        looks: whether it asks for a look or a PIN.
    """

    origin: str = ORIGIN
    domain: str = DOMAIN
    counts: bool = True
    looks: bool = True
    count: int = 0
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    user_handle: str = ""

    def twin(self) -> "Device":
        """A copy of the key and all, as a thief has it."""
        return copy(self)

    def make(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Answer ``navigator.credentials.create``."""
        self.user_handle = options["user"]["id"]
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._said(attested=True)}
        return self._credential(
            {
                "clientDataJSON": encoded(self._client_data("webauthn.create", options)),
                "attestationObject": encoded(cbor2.dumps(attestation)),
                "transports": ["internal"],
            }
        )

    def sign(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Answer ``navigator.credentials.get``."""
        self.count += self.counts
        said, client_data = self._said(), self._client_data("webauthn.get", options)
        signed = said + hashlib.sha256(client_data).digest()
        return self._credential(
            {
                "clientDataJSON": encoded(client_data),
                "authenticatorData": encoded(said),
                "signature": encoded(self.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
                "userHandle": self.user_handle,
            }
        )

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": encoded(self.id),
            "rawId": encoded(self.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        }

    def _client_data(self, kind: str, options: Mapping[str, Any]) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps({**said, "crossOrigin": False}).encode()

    def _said(self, *, attested: bool = False) -> bytes:
        flags = _PRESENT | (_VERIFIED if self.looks else 0) | (_ATTESTED if attested else 0)
        domain = hashlib.sha256(self.domain.encode()).digest()
        head = domain + bytes([flags]) + self.count.to_bytes(4, "big")
        if not attested:
            return head
        return head + bytes(16) + len(self.id).to_bytes(2, "big") + self.id + self._public_key()

    def _public_key(self) -> bytes:
        point = self.key.public_key().public_numbers()
        x, y = (each.to_bytes(_COORDINATE, "big") for each in (point.x, point.y))
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})


def asked(actor: Actor, **kwargs: Any) -> dict[str, Any]:
    """What the account is given for a new passkey."""
    answer = actor.post("/client/passkeys/options", {"password": PASSWORD}, **kwargs)
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()["options"]


def send(actor: Actor, options: Mapping[str, Any], device: Device, name: str = "Phone"):
    return actor.post(
        "/client/passkeys",
        {
            "challengeId": options["challengeId"],
            "name": name,
            "credential": device.make(options["publicKey"]),
        },
    )


def added(actor: Actor, device: Device | None = None, **kwargs: Any) -> Device:
    """A device with a passkey of the account."""
    device = device or Device()
    answer = send(actor, asked(actor, **kwargs), device)
    assert answer.status_code == 200, answer.get_json()
    return device


def at_the_door(actor: Actor, mfa_token: str | None = None) -> dict[str, Any]:
    """What anybody is given to sign in with."""
    body = {} if mfa_token is None else {"mfaToken": mfa_token}
    answer = actor.client.post("/api/auth/passkey/options", json=body)
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()["options"]


def enter(
    actor: Actor,
    options: Mapping[str, Any],
    credential: Mapping[str, Any],
    mfa_token: str | None = None,
):
    body = {"challengeId": options["challengeId"], "credential": credential}
    if mfa_token is not None:
        body["mfaToken"] = mfa_token
    return actor.client.post("/api/auth/passkey", json=body)
