"""Passkeys, and the challenges that they sign."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.store.db import Base
from protonpay.store.types import UtcDateTime


class Ceremony(StrEnum):
    """The one thing that a signed challenge does."""

    ADD = "ADD"
    """The account has another passkey."""
    SIGN_IN = "SIGN_IN"
    """Whoever has the passkey is let in."""
    SECOND_STEP = "SECOND_STEP"
    """Whoever has proved the password has proved the rest."""


class Passkey(Base):
    """A key pair on a user's device; ours is the public half.

    Attributes:
        credential_id: what the device calls it.
        public_key: COSE, as the device sent it.
        sign_count: of the newest signature; devices that do not count say 0 each time.
        suspended_at: when a count came that was there before: two devices hold the key.
    """

    __tablename__ = "passkeys"
    __table_args__ = (
        CheckConstraint("sign_count >= 0", name="sign_count"),
        Index("ix_passkeys_user_id", "user_id", "created_at", "id"),
        Index("uq_passkeys_credential_id", "credential_id", unique=True),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(Text)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    suspended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PasskeyChallenge(Base):
    """Random bytes that a device may sign once, within five minutes.

    Attributes:
        bound_to: the session that adds a passkey, or the sign-in that waits for its second step;
            empty when nobody is known yet.
        user_id: who must sign; None when nobody is known yet.
    """

    __tablename__ = "passkey_challenges"
    __table_args__ = (
        CheckConstraint("ceremony IN ('ADD', 'SIGN_IN', 'SECOND_STEP')", name="ceremony"),
        CheckConstraint("(user_id IS NULL) = (ceremony = 'SIGN_IN')", name="user_id"),
        Index("ix_passkey_challenges_expires_at", "expires_at"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    ceremony: Mapped[str] = mapped_column(Text)
    user_id: Mapped[str | None] = mapped_column(Text, ForeignKey("users.id"))
    bound_to: Mapped[str] = mapped_column(Text)
    challenge: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
