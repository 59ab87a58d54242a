"""Sweeps, and the signed transactions that carry them."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.chains.sweep import SignedSweeps, SweepItem
from protonpay.kernel.money import Usdc
from protonpay.store.db import Base
from protonpay.store.types import UsdcType, UtcDateTime, state_check
from protonpay.treasury.states import BATCH, SWEEP

_OPEN = text("state IN ('PLANNED', 'SIGNED', 'HELD')")


class SweepBatch(Base):
    """One transaction's signed bytes, on disk before anybody else has seen them.

    Attributes:
        sequence: the sweeper's nonce, where the network has them.
        terms: what the signatures are bound to, expiry included.
        fee: in the smallest native unit as decimal text, once known: wei exceed 64 bits.
    """

    __tablename__ = "sweep_batches"
    __table_args__ = (
        state_check("state", BATCH),
        # One in flight per network: its end tells the next one's nonce, and nothing has gaps.
        Index(
            "uq_sweep_batches_open",
            "network",
            unique=True,
            postgresql_where=text("state IN ('SIGNED', 'SENT')"),
        ),
        UniqueConstraint("network", "tx_hash", name="uq_sweep_batches_tx_hash"),
        Index("ix_sweep_batches_sequence", "network", "sender", "sequence", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    network: Mapped[str] = mapped_column(Text)
    sender: Mapped[str] = mapped_column(Text)
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    tx_hash: Mapped[str] = mapped_column(Text)
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    fee: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def signed(self) -> SignedSweeps:
        """The bytes, as the network's adapter knows them."""
        return SignedSweeps(self.raw, self.tx_hash, self.sequence, self.terms)


class Sweep(Base):
    """The deposits of one address on their way to the treasury; its amount never changes.

    Attributes:
        number: derivation index of the address's key.
        turn: which sweep of this address on this network; with both, its mark on chain.
        refusals: transactions that ended without moving it; after one it goes alone.
        reason: why it is held, or what its last transaction met.
        looked_at: when the chain was last asked about the address.
        batch_id: the transaction that carries it, or the last one that did.
        tx_hash: what moved it, also if somebody else handed that in; with its final ``block``.
    """

    __tablename__ = "sweeps"
    __table_args__ = (
        state_check("state", SWEEP),
        CheckConstraint("amount_micro > 0 AND turn > 0 AND refusals >= 0", name="amounts"),
        CheckConstraint(
            "num_nulls(tx_hash, block) = CASE state WHEN 'SWEPT' THEN 0 ELSE 2 END",
            name="swept_by",
        ),
        Index(
            "ix_sweeps_swept",
            "network",
            "address",
            "block",
            postgresql_where=text("state = 'SWEPT'"),
        ),
        Index("uq_sweeps_open", "network", "address", unique=True, postgresql_where=_OPEN),
        UniqueConstraint("network", "address", "turn", name="uq_sweeps_turn"),
        Index("ix_sweeps_open", "network", "state", "id", postgresql_where=_OPEN),
        Index("ix_sweeps_batch", "batch_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    network: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    number: Mapped[int] = mapped_column(BigInteger)
    turn: Mapped[int] = mapped_column(Integer)
    amount_micro: Mapped[Usdc] = mapped_column(UsdcType)
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    refusals: Mapped[int] = mapped_column(Integer)
    batch_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("sweep_batches.id"))
    tx_hash: Mapped[str | None] = mapped_column(Text)
    block: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    looked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def item(self) -> SweepItem:
        """The sweep, as the network's adapter knows it."""
        return SweepItem(self.number, self.address, self.amount_micro, self.turn)
