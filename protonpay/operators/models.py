"""Operators and their sessions."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.operators.permissions import Role
from protonpay.store.db import Base
from protonpay.store.types import Sealed, UtcDateTime
from protonpay.two_factor.taking import Codes

# Bound to the operator: a secret that is put into another's row opens nothing.
PURPOSE = "second factor of operator {id}"
_ROLES = ", ".join(f"'{role}'" for role in Role)


class Operator(Codes, Base):
    """Somebody who runs the installation; never a client's account.

    Attributes:
        email: as typed; ``email_key`` is what it is found by.
        role: what they may do (``permissions.PERMISSIONS``).
        disabled_at: they may nothing since then.
        app_secret: of the app whose code they are asked for as well, sealed; None: no code is.
    """

    __tablename__ = "operators"
    __table_args__ = (CheckConstraint(f"role IN ({_ROLES})", name="role"),)

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    email_key: Mapped[str] = mapped_column(Text, unique=True)
    role: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    app_secret: Mapped[bytes | None] = mapped_column(Sealed(PURPOSE))


class OperatorSession(Base):
    """A sign-in of an operator.

    Attributes:
        token_digest: SHA-256 of its token in hexadecimal; the token is nowhere.
        used_at: when it was used last, to the minute.
        ends_at: when it ends, however much it is used.
    """

    __tablename__ = "operator_sessions"
    __table_args__ = (Index("ix_operator_sessions_operator", "operator_id"),)

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    operator_id: Mapped[str] = mapped_column(Text, ForeignKey("operators.id"))
    token_digest: Mapped[str] = mapped_column(Text, unique=True)
    address: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
