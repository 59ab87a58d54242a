"""The log of operators' actions; the database lets nobody change or remove a row."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.store.db import Base
from protonpay.store.types import UtcDateTime


class AuditEntry(Base):
    """One action.

    Attributes:
        number: from 1, without gaps.
        actor: who, and ``origin``: where from (``terminal``, an address).
        subject: what it was done to: ``user cm…``, ``rail Base`` …
        before, after: what it changed, as far as an operator sees it; never a secret.
        previous_hash: of the entry before, zeros before the first.
        hash: SHA-256 of the previous hash and of all of the above.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        CheckConstraint("number > 0", name="number"),
        CheckConstraint(
            "octet_length(hash) = 32 AND octet_length(previous_hash) = 32", name="hash"
        ),
        Index("ix_audit_entries_subject", "subject", "number"),
    )

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    before: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    after: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
