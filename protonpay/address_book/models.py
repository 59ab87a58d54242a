"""Entries of the address book, and whether it is the only way out."""

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.store.db import Base
from protonpay.store.types import UtcDateTime


class BookEntry(Base):
    """A wallet that its owner has given a name; the row stays when it is removed.

    Attributes:
        address: canonical.
        usable_at: when it may first be paid, while the book is the only way out.
    """

    __tablename__ = "address_book"
    __table_args__ = (
        Index(
            "uq_address_book_address",
            "user_id",
            "network",
            "address",
            unique=True,
            postgresql_where=text("removed_at IS NULL"),
        ),
        Index("ix_address_book_user", "user_id", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    network: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    usable_at: Mapped[datetime] = mapped_column(UtcDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class BookPolicy(Base):
    """Whether only the book's addresses may be paid; no row means that any may.

    Attributes:
        ends_at: when a switching off takes effect; None while none was asked for.
    """

    __tablename__ = "address_book_policies"

    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"), primary_key=True)
    only_listed: Mapped[bool] = mapped_column(Boolean)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
