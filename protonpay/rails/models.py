"""The switches of the rails, and who moved them when and why."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Identity, Text
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.store.db import Base
from protonpay.store.types import UtcDateTime


class RailSwitch(Base):
    """Whether money may leave by a network, or begin to come in by a card provider.

    Attributes:
        rail: the network's or provider's documented name.
        reason: why it stands so; with ``by`` and ``changed_at`` None as long as nobody moved it.
    """

    __tablename__ = "rail_switches"
    __table_args__ = (
        CheckConstraint(
            "num_nulls(reason, changed_by, changed_at) IN (0, 3)"
            " AND (NOT paused OR reason IS NOT NULL)",
            name="explained",
        ),
    )

    rail: Mapped[str] = mapped_column(Text, primary_key=True)
    paused: Mapped[bool]
    reason: Mapped[str | None] = mapped_column(Text)
    changed_by: Mapped[str | None] = mapped_column(Text)
    changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RailChange(Base):
    """One move of a switch; written once, for ever."""

    __tablename__ = "rail_changes"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    rail: Mapped[str] = mapped_column(Text)
    paused: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text)
    changed_by: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
