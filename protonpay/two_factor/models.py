"""Second factors and their recovery codes."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.store.db import Base
from protonpay.store.types import Sealed, UtcDateTime, state_check
from protonpay.two_factor.states import FACTOR
from protonpay.two_factor.taking import Codes

# Bound to the user: a secret that is put into another's row opens nothing.
PURPOSE = "second factor of {user_id}"


class SecondFactor(Codes, Base):
    """A user's app for one-time codes; there is no row without one.

    Attributes:
        secret: 20 bytes in base32, sealed.
        asked_at: when it was set up; while PENDING it is good for ten minutes.
    """

    __tablename__ = "second_factors"
    __table_args__ = (state_check("state", FACTOR),)

    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"), primary_key=True)
    secret: Mapped[bytes] = mapped_column(Sealed(PURPOSE))
    state: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    enabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RecoveryCode(Base):
    """A code for who has lost the app, good once; by its digest, which is all that is kept."""

    __tablename__ = "recovery_codes"
    __table_args__ = (CheckConstraint("octet_length(digest) = 32", name="digest"),)

    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
