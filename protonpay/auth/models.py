"""Sessions, the refresh tokens that carry them on, tokens sent by letter.

No token is stored: of those of a session its id, of those sent by letter a digest.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.auth.states import REFRESH
from protonpay.store.db import Base
from protonpay.store.types import UtcDateTime, state_check


class AuthSession(Base):
    """One sign-in: a family of tokens that ends as a whole.

    Attributes:
        ends_at: no refresh carries it past this moment.
        used_at: when it was opened, or carried on last.
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
    used_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    agent: Mapped[str] = mapped_column(Text)


class FailedSignIn(Base):
    """Attempts to sign in that failed, of ten minutes, from one address and for one reason.

    Attributes:
        address: from where; empty for those beyond so many addresses of the ten minutes.
        agent: of the last of them.
        slot: when the ten minutes began; ``created_at``: when the first came.
    """

    __tablename__ = "failed_sign_ins"
    __table_args__ = (
        CheckConstraint("count > 0", name="count"),
        UniqueConstraint("user_id", "slot", "address", "reason"),
        Index("ix_failed_sign_ins_user", "user_id", "created_at", "id"),
        Index("ix_failed_sign_ins_expires_at", "expires_at"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    agent: Mapped[str] = mapped_column(Text)
    count: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    slot: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


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


class TokenPurpose(StrEnum):
    """The one thing that a token sent by letter does."""

    VERIFY = "VERIFY"
    """The account's address is its owner's."""
    CHANGE = "CHANGE"
    """The account's address is another from now on: the one it was sent to."""
    RESET = "RESET"
    """The account has a new password."""
    FREEZE = "FREEZE"
    """Nothing leaves the account, and everybody is signed out."""
    KEEP = "KEEP"
    """Nobody takes the second factor away, as was asked for."""


class EmailToken(Base):
    """A token that was sent by letter; by its digest, which is all that is kept.

    Attributes:
        digest: SHA-256 of the token.
        address: where it was sent.
        ended_at: used, or replaced by a newer one.
    """

    __tablename__ = "email_tokens"
    __table_args__ = (
        CheckConstraint(
            "purpose IN ('VERIFY', 'CHANGE', 'RESET', 'FREEZE', 'KEEP')", name="purpose"
        ),
        CheckConstraint("octet_length(digest) = 32", name="digest"),
        Index("ix_email_tokens_user_id", "user_id", "purpose", "created_at"),
        Index("ix_email_tokens_expires_at", "expires_at"),
    )

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    purpose: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class FactorReset(Base):
    """That a user's app and passkeys are to be taken away; there is no row once that is over.

    Attributes:
        due_at: when it is done, unless its owner stops it before.
    """

    __tablename__ = "factor_resets"
    __table_args__ = (CheckConstraint("due_at > asked_at", name="due_at"),)

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"), unique=True)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SignInChallenge(Base):
    """A sign-in whose password was right, and which waits for a code of the second factor."""

    __tablename__ = "sign_in_challenges"
    __table_args__ = (Index("ix_sign_in_challenges_expires_at", "expires_at"),)

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def stands(self, now: datetime) -> bool:
        """Tell whether a code still opens a session by it."""
        return self.used_at is None and self.expires_at > now
