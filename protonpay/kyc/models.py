"""Identity checks."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.kyc.states import CASE
from protonpay.store.db import Base
from protonpay.store.types import Sealed, UtcDateTime, state_check

# Bound to the user: one person's papers cannot be put into another one's row.
PURPOSE = "identity of {user_id}"


class KycCase(Base):
    """One user's identity check.

    Attributes:
        user_id: there is one for each user, from their first submission on.
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
    person: Mapped[bytes] = mapped_column(Sealed(PURPOSE))
    reason: Mapped[str | None] = mapped_column(Text)
    submitted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
