"""Sessions and the refresh tokens that carry them on. No token is stored, only its id."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.auth.states import REFRESH
from protonpay.store.db import Base
from protonpay.store.types import UtcDateTime, state_check


class AuthSession(Base):
    """One sign-in: a family of tokens that ends as a whole.

    Attributes:
        ends_at: no refresh carries it past this moment.
        ended_at: signed out, revoked or reused; ``end_reason`` says which.
    """

    __tablename__ = "auth_sessions"
    __table_args__ = (
        Index(
            "ix_auth_sessions_ended_at", "ended_at", postgresql_where=text("ended_at IS NOT NULL")
        ),
        Index("ix_auth_sessions_user_id", "user_id"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    agent: Mapped[str] = mapped_column(Text)


class RefreshToken(Base):
    """The one use a refresh token has."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        state_check("state", REFRESH),
        Index("ix_refresh_tokens_session_id", "session_id"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    session_id: Mapped[str] = mapped_column(Text, ForeignKey("auth_sessions.id"))
    state: Mapped[str] = mapped_column(Text)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
