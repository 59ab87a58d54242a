"""Letters on their way."""

from datetime import datetime

from sqlalchemy import Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.mail.states import LETTER
from protonpay.store.db import Base
from protonpay.store.types import Sealed, UtcDateTime, state_check

PURPOSE = "letter"


class LetterRow(Base):
    """One letter.

    Attributes:
        content: reader and values, sealed: a link in it opens an account. Empty once it ended.
        reason: what the reader's server said when it refused.
        useful_until: after that nobody wants it any more.
    """

    __tablename__ = "letters"
    __table_args__ = (
        state_check("state", LETTER),
        Index("ix_letters_waiting", "created_at", postgresql_where=text("state = 'PENDING'")),
        Index("ix_letters_ended", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    template: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    content: Mapped[bytes] = mapped_column(Sealed(PURPOSE))
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    useful_until: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
