"""Balances of the past."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.kernel.money import Usdc
from protonpay.store.db import Base
from protonpay.store.types import UsdcType, UtcDateTime


class BalanceCheckpoint(Base):
    """What a user's accounts came to by the entries before a moment; never changed.

    Attributes:
        micro: available and held, less what is owed.
        last_before: no entry of the user from before the moment has a higher id.
        first_from: none from the moment on has a lower one.
    """

    __tablename__ = "balance_checkpoints"

    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    micro: Mapped[Usdc] = mapped_column(UsdcType)
    last_before: Mapped[int] = mapped_column(BigInteger)
    first_from: Mapped[int] = mapped_column(BigInteger)
