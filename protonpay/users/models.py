"""People."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.store.db import Base
from protonpay.store.types import UtcDateTime, state_check
from protonpay.users.states import STANDING


class User(Base):
    """A person or a business with an account.

    Attributes:
        email: as typed; ``email_key`` is what it is found by.
        public_id: what people give each other to be paid.
        identity_approved_at: when it was approved who they are.
        identity_level: how well they are known, one of ``states.LEVELS``; 0 if they are not.
        standing: whether the account may act.
        language: that its letters and statements are written in.
        time_zone: an IANA name; where its months begin, and its clock outside of JSON.
        letters: of which kinds it wants letters, or wants none, where it has said so.
        messages: of which kinds it wants messages in Telegram, likewise.
        withdrawals_frozen_at: nothing leaves the account since then.
    """

    __tablename__ = "users"
    __table_args__ = (
        state_check("standing", STANDING),
        CheckConstraint(
            "identity_level = 0 OR (identity_level BETWEEN 1 AND 3"
            " AND identity_approved_at IS NOT NULL)",
            name="identity_level",
        ),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    public_id: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    email_key: Mapped[str] = mapped_column(Text, unique=True)
    email_verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    identity_approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    identity_level: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    password_hash: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    standing: Mapped[str] = mapped_column(Text)
    plan: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    time_zone: Mapped[str] = mapped_column(Text)
    letters: Mapped[dict[str, bool]] = mapped_column(
        JSONB, default=dict, server_default=text("'{}'::jsonb")
    )
    messages: Mapped[dict[str, bool]] = mapped_column(
        JSONB, default=dict, server_default=text("'{}'::jsonb")
    )
    withdrawals_frozen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
