"""Receipts that prove themselves: what was paid for an invoice, signed.

A flattened JWS (RFC 7515) with Ed25519 (RFC 8037), which signs the same bytes alike: a receipt
changes only with the money, and who asks twice gets the same file. The key is made once and stays,
whatever other secrets are changed: an old receipt is verified by the same public key.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Text, select
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.invoices import service
from protonpay.kernel import clock
from protonpay.kernel.errors import NotFound
from protonpay.store.db import Base, db, transaction
from protonpay.store.secrets import safe
from protonpay.store.types import Sealed, UtcDateTime
from protonpay.users import service as users

_CURRENCY = "USDC"
_SEALED_FOR = "receipt key"
"""What the private keys are sealed for."""


class ReceiptKey(Base):
    """A key that receipts are signed with (Ed25519).

    Attributes:
        id: the thumbprint of the public key (RFC 7638), named by what it signs.
        public: the public key, base64url; ``secret`` is the private one.
    """

    __tablename__ = "receipt_keys"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    public: Mapped[str] = mapped_column(Text)
    secret: Mapped[bytes] = mapped_column(Sealed(_SEALED_FOR))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


def signed(invoice_id: str, *, issuer: str, test: bool) -> Mapping[str, str]:
    """Return the receipt of an invoice as a flattened JWS.

    Args:
        invoice_id: which.
        issuer: the address of this installation.
        test: no real money was moved.

    Raises:
        NotFound: there is no such invoice, or nothing has arrived for it.
    """
    payload = _receipt(service.find(invoice_id), issuer, test=test)
    key = _key()
    private = Ed25519PrivateKey.from_private_bytes(safe.open_bytes(key.secret, _SEALED_FOR))
    head = {"alg": "EdDSA", "kid": key.id, "typ": "receipt+jws"}
    protected, body = _packed(head), _packed(payload)
    signature = private.sign(f"{protected}.{body}".encode())
    return {"protected": protected, "payload": body, "signature": _base64url(signature)}


def public_keys() -> Mapping[str, Any]:
    """Return every key that ever signed a receipt, public part only, as a JWK Set (RFC 7517)."""
    _key()
    rows = db.session.scalars(select(ReceiptKey).order_by(ReceiptKey.created_at, ReceiptKey.id))
    return {"keys": [{**_jwk(row.public), "kid": row.id, "use": "sig"} for row in rows]}


def _receipt(found: service.Whole, issuer: str, *, test: bool) -> Mapping[str, Any]:
    invoice, owner = found.invoice, users.get(found.invoice.user_id)
    if not invoice.received_micro:
        raise NotFound("not_found", "There is no such invoice.")
    return {
        "iss": issuer,
        "test": test,
        "invoiceId": invoice.id,
        "seller": {"id": owner.public_id, "name": owner.name},
        "description": invoice.description,
        "currency": _CURRENCY,
        "amount": str(invoice.amount_micro),
        "received": str(invoice.received_micro),
        "refunded": str(invoice.refunded_micro),
        "status": invoice.state,
        "createdAt": clock.to_text(invoice.created_at),
        "paidAt": _moment(invoice.paid_at),
        "payments": [
            {
                "amount": str(one.amount_micro),
                "method": one.method,
                "network": one.network,
                "txHash": one.tx_hash,
                "creditedAt": _moment(one.credited_at),
            }
            for one in found.payments
            if one.state == "CREDITED"
        ],
        "refunds": [
            {"amount": str(one.amount_micro), "endedAt": _moment(one.ended_at)}
            for one in found.refunds
            if one.state == "COMPLETED"
        ],
    }


def _key() -> ReceiptKey:
    """Return the first key there is; made by who needs it first.

    Two processes may make one each: both are published, and the older one signs.
    """
    first = select(ReceiptKey).order_by(ReceiptKey.created_at, ReceiptKey.id).limit(1)
    found = db.session.scalar(first)
    if found is not None:
        return found
    private = Ed25519PrivateKey.generate()
    public = _base64url(private.public_key().public_bytes_raw())
    with transaction() as session:
        row = ReceiptKey(
            id=_thumbprint(public),
            public=public,
            secret=safe.seal_bytes(private.private_bytes_raw(), _SEALED_FOR),
            created_at=clock.now(),
        )
        session.add(row)
    return row


def _jwk(public: str) -> Mapping[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": public}


def _thumbprint(public: str) -> str:
    text = json.dumps(_jwk(public), separators=(",", ":"), sort_keys=True)
    return _base64url(hashlib.sha256(text.encode()).digest())


def _packed(members: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _moment(at: datetime | None) -> str | None:
    return None if at is None else clock.to_text(at)
