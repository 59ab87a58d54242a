"""Addresses, incoming transfers, and how far each network has been watched."""

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Index,
    Integer,
    LargeBinary,
    Sequence,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.chains.keyring import LAST_DEPOSIT
from protonpay.kernel.money import Usdc
from protonpay.store.db import Base
from protonpay.store.types import UsdcType, UtcDateTime, state_check
from protonpay.wallets.states import INCOMING

NUMBERS = Sequence(
    "deposit_address_numbers", minvalue=0, maxvalue=LAST_DEPOSIT, metadata=Base.metadata
)


class DepositAddress(Base):
    """An address that the keyring can spend from; the program may only write its holder.

    Attributes:
        number: its derivation index; never used twice.
        proof: the notary's signature under family, number and address.
        holder_id: whose it is, for ever; None while it waits in the pool.
    """

    __tablename__ = "deposit_addresses"
    __table_args__ = (
        UniqueConstraint("family", "address", name="uq_deposit_addresses_address"),
        CheckConstraint(
            "(holder_kind IS NULL) = (holder_id IS NULL)"
            " AND (holder_id IS NULL) = (claimed_at IS NULL)",
            name="claimed_whole",
        ),
        Index(
            "uq_deposit_addresses_holder",
            "holder_kind",
            "holder_id",
            "family",
            unique=True,
            postgresql_where=text("holder_id IS NOT NULL"),
        ),
        Index(
            "ix_deposit_addresses_free",
            "family",
            "number",
            postgresql_where=text("holder_id IS NULL"),
        ),
    )

    family: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    address: Mapped[str] = mapped_column(Text)
    proof: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    holder_kind: Mapped[str | None] = mapped_column(Text)
    holder_id: Mapped[str | None] = mapped_column(Text)
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Incoming(Base):
    """One transfer of USDC to an address of ours: one row for ever, wherever a reorg puts it.

    Attributes:
        holder_kind: ``user`` or ``invoice``: who decides what follows.
        ordinal: the log's place in its own receipt (EVM: its index in the block changes
            with a reorg), the token account's place in its transaction (Solana).
        block: height of the block on EVM networks, slot on Solana; with ``block_hash``
            where it was last seen.
        sender: who paid, where the network says it.
        payers: all who paid, where several did at once; each may be one to hold it for.
        final_at: when the network could no longer take it back.
        inside: a payout of ours to an address of ours, which no chain has seen.
        swept_by: the sweep that takes it to the treasury; None while it lies at its address.
    """

    __tablename__ = "incoming"
    __table_args__ = (
        state_check("state", INCOMING),
        CheckConstraint("amount_micro > 0 AND ordinal >= 0", name="amounts"),
        UniqueConstraint("network", "tx_hash", "ordinal", name="uq_incoming_transfer"),
        Index("ix_incoming_holder", "holder_kind", "holder_id", "seen_at"),
        Index("ix_incoming_address", "network", "address"),
        Index("ix_incoming_seen", "network", "block", postgresql_where=text("state = 'SEEN'")),
        Index(
            "ix_incoming_unswept",
            "network",
            "address",
            postgresql_where=text("state = 'FINAL' AND swept_by IS NULL AND NOT inside"),
        ),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    network: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    holder_kind: Mapped[str] = mapped_column(Text)
    holder_id: Mapped[str] = mapped_column(Text)
    amount_micro: Mapped[Usdc] = mapped_column(UsdcType)
    tx_hash: Mapped[str] = mapped_column(Text)
    ordinal: Mapped[int] = mapped_column(Integer)
    sender: Mapped[str | None] = mapped_column(Text)
    block: Mapped[int] = mapped_column(BigInteger)
    block_hash: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    final_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    inside: Mapped[bool] = mapped_column(default=False, server_default="false")
    swept_by: Mapped[int | None] = mapped_column(BigInteger)
    payers: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")


class WatchMark(Base):
    """How far a network has been watched; moves in the transaction that writes what was found.

    Attributes:
        height: up to this final block every transfer is known. Where accounts are asked
            about one by one, each has its own mark (``WatchedAccount``), and this is the beginning.
        seen_height: the same for blocks that a reorg may still take back.
        overlap_heights: ``height`` when the last minute was read once more, the last four times,
            oldest first: what is above the first of them is read again the next time.
        again_height: how far the last day was read once more in this hour: what a node kept
            back for longer than a minute is found then.
        looked_at: when a round last came to its end; how honest the rest is.
        busy_until: a worker is at it; short, so that a dead one costs seconds.
    """

    __tablename__ = "watch_marks"

    network: Mapped[str] = mapped_column(Text, primary_key=True)
    height: Mapped[int] = mapped_column(BigInteger)
    seen_height: Mapped[int] = mapped_column(BigInteger)
    overlap_heights: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    again_height: Mapped[int] = mapped_column(BigInteger)
    looked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    busy_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class WatchedAccount(Base):
    """One address on a network where each account is asked about by itself.

    Attributes:
        balance_micro: what the final transactions up to ``cursor`` make of it.
        cursor: the newest final transaction that was read; None before the first.
        active_at: when it was last shown or paid: the newer, the more often it is looked at.
        due_at: when it is looked at next.
    """

    __tablename__ = "watched_accounts"
    __table_args__ = (Index("ix_watched_accounts_due", "network", "due_at"),)

    network: Mapped[str] = mapped_column(Text, primary_key=True)
    address: Mapped[str] = mapped_column(Text, primary_key=True)
    balance_micro: Mapped[Usdc] = mapped_column(UsdcType)
    cursor: Mapped[str | None] = mapped_column(Text)
    active_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
