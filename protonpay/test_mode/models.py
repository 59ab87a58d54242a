"""Payments from a wallet outside of Proton Pay, in a sandbox."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.kernel.money import Usdc
from protonpay.store.db import Base
from protonpay.store.types import UsdcType, UtcDateTime, state_check
from protonpay.test_mode.states import TEST_PAYMENT


class Payment(Base):
    """USDC that the wallet outside is asked to send.

    Attributes:
        user_id: who asked, and is paid.
        address: of theirs, or of their invoice ``invoice_id``.
        tx_hash: once it was sent.
        vanishes: once it was seen, the chain is to go on without it.
        reason: why it failed, one of ``service.REASONS``.
        ended_at: when it was known what became of it, or that nobody knows.
    """

    __tablename__ = "test_payments"
    __table_args__ = (
        state_check("state", TEST_PAYMENT),
        CheckConstraint("amount_micro > 0", name="amounts"),
        CheckConstraint("(state = 'SENT') = (tx_hash IS NOT NULL)", name="sent"),
        CheckConstraint("(state = 'FAILED') = (reason IS NOT NULL)", name="failed"),
        Index("ix_test_payments_user", "user_id", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    network: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    amount_micro: Mapped[Usdc] = mapped_column(UsdcType)
    invoice_id: Mapped[str | None] = mapped_column(Text, ForeignKey("invoices.id"))
    state: Mapped[str] = mapped_column(Text)
    vanishes: Mapped[bool] = mapped_column(default=False, server_default=false())
    tx_hash: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
