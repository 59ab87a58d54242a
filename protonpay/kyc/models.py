"""Identity checks."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.kyc.states import CASE
from protonpay.store.db import Base
from protonpay.store.types import Sealed, UtcDateTime, state_check

# Bound to the user: one person's papers cannot be put into another one's row.
PURPOSE = "identity of {user_id}"
DOCUMENT_PURPOSE = "identity document {id} of {user_id}"


class KycCase(Base):
    """One user's identity check.

    Attributes:
        user_id: there is one for each user, from their first submission on.
        submission: which one this is, the first is 1: what is said of an older one is not heard.
        provider: who was chosen to judge it when it was submitted.
        reference: what the provider is asked about it by, once it has it.
        person: what they submitted last, sealed as a whole: nothing of it stands in clear.
        reason: why it was rejected, while it is.
    """

    __tablename__ = "kyc_cases"
    __table_args__ = (
        state_check("state", CASE),
        Index("ix_kyc_cases_waiting", "submitted_at", postgresql_where=text("state = 'PENDING'")),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"), unique=True)
    state: Mapped[str] = mapped_column(Text)
    submission: Mapped[int] = mapped_column(Integer)
    provider: Mapped[str] = mapped_column(Text)
    reference: Mapped[str | None] = mapped_column(Text)
    person: Mapped[bytes] = mapped_column(Sealed(PURPOSE))
    reason: Mapped[str | None] = mapped_column(Text)
    submitted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class KycDocument(Base):
    """A picture or a file that shows who somebody is.

    Attributes:
        kind: what it shows, one of ``states.DOCUMENT_KINDS``.
        media_type: as its content tells; ``size_bytes``: of the content before it is sealed.
        content: never loaded with the row, only when somebody opens it; empty once it is dropped.
        submitted_at: when it became part of a case; None while its owner may still remove it.
        dropped_at: when the content was dropped; this line of it stays.
    """

    __tablename__ = "kyc_documents"
    __table_args__ = (
        CheckConstraint("size_bytes > 0", name="size_bytes"),
        Index("ix_kyc_documents_user_id", "user_id", "uploaded_at", "id"),
        Index("ix_kyc_documents_kept", "uploaded_at", postgresql_where=text("dropped_at IS NULL")),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(Integer)
    content: Mapped[bytes] = mapped_column(Sealed(DOCUMENT_PURPOSE, at_once=4), deferred=True)
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dropped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
