"""What an account may do and what it costs, as rows."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.kernel.money import Usdc
from protonpay.store.db import Base
from protonpay.store.types import UsdcType, UtcDateTime


class _Numbers:
    """Fees and limits.

    Attributes:
        withdrawal_fees: network → flat fee in micro-USDC. A network that is not named has the
            fee of its setting, if any; null leaves it out.
        withdrawal_fee_bps: basis points of the amount, on top of the flat fee.
        daily_limit_micro: of all withdrawals of the last 24 hours that did not fail.
        level_limits: level of identity → the limits that it raises, in micro-USDC by the names of
            their columns.
    """

    withdrawal_fees: Mapped[dict[str, Any]] = mapped_column(JSONB)
    withdrawal_fee_bps: Mapped[int] = mapped_column(Integer)
    transfer_fee_micro: Mapped[Usdc] = mapped_column(UsdcType)
    deposit_commission_bps: Mapped[int] = mapped_column(Integer)
    single_limit_micro: Mapped[Usdc] = mapped_column(UsdcType)
    daily_limit_micro: Mapped[Usdc] = mapped_column(UsdcType)
    level_limits: Mapped[dict[str, Any]] = mapped_column(
        JSONB, default=dict, server_default=text("'{}'")
    )
    cooldown_seconds: Mapped[int] = mapped_column(Integer)
    needs_verified_email: Mapped[bool]
    needs_kyc: Mapped[bool]


class Plan(_Numbers, Base):
    """A plan as it began."""

    __tablename__ = "plans"

    name: Mapped[str] = mapped_column(Text, primary_key=True)


class PlanVersion(_Numbers, Base):
    """A plan from a moment on, announced before it; never changed afterwards.

    Attributes:
        starts_at: in force from then on, until the next version's.
    """

    __tablename__ = "plan_versions"
    __table_args__ = (CheckConstraint("starts_at > announced_at", name="announced"),)

    name: Mapped[str] = mapped_column(Text, ForeignKey("plans.name"), primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    announced_at: Mapped[datetime] = mapped_column(UtcDateTime)
