"""The log of requests, in tables of months (``store/months.py``)."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.store.db import Base
from protonpay.store.types import UtcDateTime


class LoggedRequest(Base):
    """One request of an API key, and how it was answered.

    Attributes:
        key_id: with which key; the key itself is not written anywhere.
        route: the path with the names of its parts, ``/api/client/withdraw/{payout_id}``.
        path: as it was called, with its query.
        code: of the refusal; None if it was none.
        request_id: as in ``X-Request-Id``; a caller may have chosen it, and twice the same.
        milliseconds: until the answer was made.
        body: of the request, as text; None if there was none, it was not read, or is too long.
        answer: the problem (RFC 9457) of a refusal, as text.
    """

    __tablename__ = "request_log"
    __table_args__ = (
        Index("ix_request_log_user", "user_id", "created_at", "id"),
        Index(
            "ix_request_log_refused",
            "user_id",
            "created_at",
            "id",
            postgresql_where=text("status >= 400"),
        ),
        Index("ix_request_log_request_id", "request_id"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    key_id: Mapped[str] = mapped_column(Text)
    method: Mapped[str] = mapped_column(Text)
    route: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)
    status: Mapped[int] = mapped_column(Integer)
    code: Mapped[str | None] = mapped_column(Text)
    milliseconds: Mapped[int] = mapped_column(Integer)
    request_id: Mapped[str] = mapped_column(Text)
    idempotency_key: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    agent: Mapped[str | None] = mapped_column(Text)
    body: Mapped[str | None] = mapped_column(Text)
    answer: Mapped[str | None] = mapped_column(Text)
