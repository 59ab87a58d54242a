"""Passes over what is compared, and what they found."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.kernel.money import Usdc
from protonpay.reconciliation.states import CASE
from protonpay.store.db import Base
from protonpay.store.types import UsdcType, UtcDateTime, state_check


class ReconciliationCase(Base):
    """One mismatch: there is never a second open row of the same.

    Attributes:
        rail: the network, card provider or ``ledger``: what is paused by it.
        kind: one of ``cases.KINDS``, which say what each means and how it is mended.
        subject: what it is about: an address, deposit, account or wallet.
        evidence: both sides as they were last seen; amounts in micro-USDC.
        seen_in: the last pass of the rail that found it.
        opened_at: when a second look had confirmed it.
        closed_by: the operator who closed it; None if a pass did not find it any more.
        note: how it ended.
    """

    __tablename__ = "reconciliation_cases"
    __table_args__ = (
        state_check("state", CASE),
        Index(
            "uq_reconciliation_cases_standing",
            "rail",
            "kind",
            "subject",
            unique=True,
            postgresql_where=text("state <> 'RESOLVED'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    rail: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    evidence: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(Text)
    seen_in: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_by: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)


class ReconciliationPass(Base):
    """How far the comparing of a rail is, and how the last one that came to its end ended.

    Attributes:
        number: counts the passes; finished ones keep it until the next begins.
        begun_at: of this pass; None when none is under way.
        at: what it compares as of: height, time and name of the block; between two passes how
            many seconds the last one took.
        cursor: what was compared last: a number of an address, an id.
        ours_micro: what the book says so far, and ``theirs_micro`` what the world says.
        unknown: how many did not answer.
        said: what kept the last step from going on, or None.
        result: of the last whole pass: ``ok``, ``differs`` or ``unknown``; None before the first.
        busy_until: a worker is at it; short, so that a dead one costs seconds.
    """

    __tablename__ = "reconciliation_passes"
    __table_args__ = (CheckConstraint("result IN ('ok', 'differs', 'unknown')", name="result"),)

    rail: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    begun_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    at: Mapped[Mapping[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    cursor: Mapped[str | None] = mapped_column(Text)
    compared: Mapped[int] = mapped_column(BigInteger)
    unknown: Mapped[int] = mapped_column(BigInteger)
    ours_micro: Mapped[Usdc] = mapped_column(UsdcType)
    theirs_micro: Mapped[Usdc] = mapped_column(UsdcType)
    said: Mapped[str | None] = mapped_column(Text)
    busy_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    result: Mapped[str | None] = mapped_column(Text)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_compared: Mapped[int | None] = mapped_column(BigInteger)
    last_ours_micro: Mapped[Usdc | None] = mapped_column(UsdcType)
    last_theirs_micro: Mapped[Usdc | None] = mapped_column(UsdcType)
