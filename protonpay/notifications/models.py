"""What each person has read; what there is to read stands in the event log and in other rooms."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.store.db import Base
from protonpay.store.types import UtcDateTime


class NotificationPosition(Base):
    """How far a person has read the log of an account.

    Attributes:
        person_id: its owner, or a member: each has a position of their own.
        sequence: events up to this number are read.
    """

    __tablename__ = "notification_positions"

    account_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)


class NotificationRead(Base):
    """What a person has read beside their position: an event above it, or a notice.

    Attributes:
        notification_id: of the event, or of the thing whose notice it is.
        sequence: of the event; None for a notice.
        read_at: a notice that began later is another one, and unread.
    """

    __tablename__ = "notification_reads"

    account_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"), primary_key=True)
    notification_id: Mapped[str] = mapped_column(Text, primary_key=True)
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    read_at: Mapped[datetime] = mapped_column(UtcDateTime)


class NotificationLetter(Base):
    """A letter that was written, or was considered and is not wanted: one of each, for ever.

    Attributes:
        subject: the event's id, or kind and thing of a notice.
    """

    __tablename__ = "notification_letters"
    __table_args__ = (Index("ix_notification_letters_user", "user_id", "created_at"),)

    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
