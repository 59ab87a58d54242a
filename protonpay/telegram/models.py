"""Which chat is whose, and messages on their way."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.store.db import Base
from protonpay.store.types import Sealed, UtcDateTime, state_check
from protonpay.telegram.states import MESSAGE

PURPOSE = "telegram message"


class TelegramChat(Base):
    """The chat of an account: one of each.

    Attributes:
        chat_id: Telegram's number of it, of 52 bits at most.
        username: as its owner was called there when it was linked.
    """

    __tablename__ = "telegram_chats"

    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"), primary_key=True)
    chat_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    username: Mapped[str | None] = mapped_column(Text)
    linked_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TelegramCode(Base):
    """What proves that a chat is of who asked: one of each account, once, for minutes.

    Attributes:
        digest: of the code; who reads the database can link nothing.
    """

    __tablename__ = "telegram_codes"

    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TelegramPosition(Base):
    """How far the updates of a bot are dealt with.

    Attributes:
        bot_id: the number at the front of its token.
        next: those below are.
        moved_at: when it was moved last.
    """

    __tablename__ = "telegram_positions"

    bot_id: Mapped[str] = mapped_column(Text, primary_key=True)
    next: Mapped[int] = mapped_column(BigInteger)
    moved_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TelegramMessage(Base):
    """One message.

    Attributes:
        chat_id: where it goes; if the account has another chat by then, nowhere.
        content: values of its template, sealed. Empty once it ended.
        reason: what Telegram said when it refused.
        useful_until: after that nobody wants it any more.
    """

    __tablename__ = "telegram_messages"
    __table_args__ = (
        state_check("state", MESSAGE),
        Index(
            "ix_telegram_messages_ended",
            "ended_at",
            postgresql_where=text("ended_at IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    chat_id: Mapped[int] = mapped_column(BigInteger)
    template: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    content: Mapped[bytes] = mapped_column(Sealed(PURPOSE))
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    useful_until: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
