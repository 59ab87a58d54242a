"""What people proposed to correct in the book, and who decided."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.adjustments.states import ADJUSTMENT
from protonpay.kernel.money import Usdc
from protonpay.store.db import Base
from protonpay.store.types import UsdcType, UtcDateTime, state_check


class Adjustment(Base):
    """One correction: so much from one account of the ledger to another.

    Attributes:
        source, destination: addresses of the chart; the one is the other's contra account.
        decided_by: never who proposed it.
        reference: the proposer's name for it, if they gave one: it names one proposal only.
    """

    __tablename__ = "adjustments"
    __table_args__ = (
        state_check("state", ADJUSTMENT),
        CheckConstraint("amount_micro > 0 AND source <> destination", name="moves"),
        CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name="second_person"),
        CheckConstraint(
            "num_nulls(decided_by, decided_at, decision)"
            " = CASE state WHEN 'PROPOSED' THEN 3 ELSE 0 END",
            name="decided_whole",
        ),
        Index("ix_adjustments_waiting", "proposed_at", postgresql_where=text("state = 'PROPOSED'")),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    source: Mapped[str] = mapped_column(Text)
    destination: Mapped[str] = mapped_column(Text)
    amount_micro: Mapped[Usdc] = mapped_column(UsdcType)
    reason: Mapped[str] = mapped_column(Text)
    reference: Mapped[str | None] = mapped_column(Text, unique=True)
    state: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[str] = mapped_column(Text)
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision: Mapped[str | None] = mapped_column(Text)
