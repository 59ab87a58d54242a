"""Transfers between users: complete from the moment they exist."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.kernel.money import Usdc
from protonpay.store.db import Base
from protonpay.store.types import UsdcType, UtcDateTime


class Transfer(Base):
    """USDC from one user to another.

    Attributes:
        to_identifier: how the sender named the recipient; what the sender sees.
        idempotency_key: the key it was sent under (``store/idempotency.key``).
    """

    __tablename__ = "transfers"
    __table_args__ = (
        CheckConstraint("amount_micro > 0 AND fee_micro >= 0", name="amounts"),
        Index("ix_transfers_sender", "sender_id", "created_at", "id"),
        Index("ix_transfers_recipient", "recipient_id", "created_at", "id"),
        # What a person looks for: to whom, from whom, a sum (``overview/search.py``).
        Index(
            "ix_transfers_named",
            "sender_id",
            literal_column("lower(to_identifier)").label("named"),
            *("created_at", "id"),
            postgresql_ops={"named": "text_pattern_ops"},
        ),
        Index("ix_transfers_from", "recipient_id", "sender_id", "created_at", "id"),
        Index("ix_transfers_sent_amount", "sender_id", "amount_micro", "created_at", "id"),
        Index("ix_transfers_received_amount", "recipient_id", "amount_micro", "created_at", "id"),
        Index(
            "uq_transfers_idempotency_key",
            "sender_id",
            "idempotency_key",
            unique=True,
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    sender_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    recipient_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    amount_micro: Mapped[Usdc] = mapped_column(UsdcType)
    fee_micro: Mapped[Usdc] = mapped_column(UsdcType)
    to_identifier: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    idempotency_key: Mapped[str | None] = mapped_column(Text)
