"""Heads, their trees, and the reserves read for them. What is published stays as it is."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.kernel.money import Usdc
from protonpay.store.db import Base
from protonpay.store.types import Sealed, UsdcType, UtcDateTime

SALTS = "proofs.salt"
"""The purpose that heads' salt secrets are sealed for."""


class Head(Base):
    """What we owe everybody as of one position of the book's chain, and what we have.

    Attributes:
        day: the last day, in UTC, that had ended when it was taken.
        daily: the one head of that day which comes by itself.
        total_micro: the sum of all users' available and held balances.
        debts_micro: what users owe us; taken off nothing.
        salt: the secret of its leaves, sealed.
        published_at: None until its reserves are read, or were waited for long enough.
        reserves: totals by network, as published.
    """

    __tablename__ = "proof_heads"
    __table_args__ = (
        CheckConstraint(
            "position >= 0 AND leaves >= 0 AND total_micro >= 0 AND debts_micro >= 0",
            name="amounts",
        ),
        CheckConstraint(
            "num_nulls(published_at, reserves, reserves_hash, previous_hash, hash) IN (0, 5)",
            name="published_whole",
        ),
        Index("uq_proof_heads_daily", "day", unique=True, postgresql_where=text("daily")),
    )

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(Date)
    daily: Mapped[bool] = mapped_column(Boolean)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)
    position: Mapped[int] = mapped_column(BigInteger)
    chain_hash: Mapped[bytes] = mapped_column(LargeBinary)
    root: Mapped[bytes] = mapped_column(LargeBinary)
    leaves: Mapped[int] = mapped_column(BigInteger)
    total_micro: Mapped[Usdc] = mapped_column(UsdcType)
    debts_micro: Mapped[Usdc] = mapped_column(UsdcType)
    salt: Mapped[bytes] = mapped_column(Sealed(SALTS))
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reserves: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    reserves_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    previous_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    hash: Mapped[bytes | None] = mapped_column(LargeBinary)


class Leaf(Base):
    """One user in a head's tree; kept for the newest heads only."""

    __tablename__ = "proof_leaves"
    __table_args__ = (CheckConstraint("balance_micro >= 0", name="not_below_zero"),)

    head: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("proof_heads.number"), primary_key=True
    )
    user_id: Mapped[str] = mapped_column(Text, primary_key=True)
    place: Mapped[int] = mapped_column(BigInteger)
    balance_micro: Mapped[Usdc] = mapped_column(UsdcType)


class NodePart(Base):
    """A run of nodes of one level of a head's tree, packed; kept as long as its leaves."""

    __tablename__ = "proof_nodes"

    head: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("proof_heads.number"), primary_key=True
    )
    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    part: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    nodes: Mapped[bytes] = mapped_column(LargeBinary)


class ReserveRow(Base):
    """What one address of ours held; without an amount it is not known."""

    __tablename__ = "proof_reserves"
    __table_args__ = (
        CheckConstraint(
            "(block IS NULL) = (amount_micro IS NULL) AND amount_micro >= 0", name="known_whole"
        ),
        Index(
            "ix_proof_reserves_unknown",
            "head",
            "network",
            "address",
            postgresql_where=text("amount_micro IS NULL"),
        ),
    )

    head: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("proof_heads.number"), primary_key=True
    )
    network: Mapped[str] = mapped_column(Text, primary_key=True)
    address: Mapped[str] = mapped_column(Text, primary_key=True)
    role: Mapped[str] = mapped_column(Text)
    block: Mapped[int | None] = mapped_column(BigInteger)
    amount_micro: Mapped[Usdc | None] = mapped_column(UsdcType)
