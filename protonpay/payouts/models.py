"""Payouts, the signed bytes that pay them, and the order of a wallet's sends."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.kernel.money import Usdc
from protonpay.payouts.states import ATTEMPT, PAYEE_LOOK, PAYOUT
from protonpay.store import idempotency
from protonpay.store.db import Base
from protonpay.store.types import UsdcType, UtcDateTime, state_check


class Payout(Base):
    """USDC on its way to a wallet.

    Attributes:
        failure_code: why it failed, for the client (``payee_blacklisted`` …).
        tx_hash: of the send that landed, or of the newest one while none has.
        idempotency_key: the key it was ordered under.
        source: the ledger account it is paid from, if that is not its user's own.
        hold_reason: why it is or was on hold, for operators.
        cleared: an operator let it go on: it is not held for its payee again.
        approval: ``WAITING`` for a second person because it is large, or ``GIVEN``; else None.
        cancel_asked_at: when its owner asked for it back.
        approved_at: when it was free to be signed: at once, or by an operator's decision.
        signed_at: when the newest bytes that pay it were first stored; ``sent_at`` when they were
            handed in. Neither while it waits to be signed, or signed anew.
        waits_for: the code of what hindered the last try to sign it (``treasury_short`` …), and
            ``waits_since`` when; both only while it waits to be signed.
    """

    __tablename__ = "payouts"
    __table_args__ = (
        state_check("state", PAYOUT),
        CheckConstraint("amount_micro > 0 AND fee_micro >= 0", name="amounts"),
        CheckConstraint("approval IN ('WAITING', 'GIVEN')", name="approval"),
        CheckConstraint("(waits_for IS NULL) = (waits_since IS NULL)", name="waits"),
        Index("ix_payouts_user", "user_id", "created_at", "id"),
        # What a person looks for: a hash, an address, a sum (``overview/search.py``).
        Index(
            "ix_payouts_tx_hash",
            *("user_id", "tx_hash", "created_at", "id"),
            postgresql_ops={"tx_hash": "text_pattern_ops"},
            postgresql_where=text("tx_hash IS NOT NULL"),
        ),
        Index(
            "ix_payouts_wallet_address",
            *("user_id", "wallet_address", "created_at", "id"),
            postgresql_ops={"wallet_address": "text_pattern_ops"},
        ),
        Index("ix_payouts_amount", "user_id", "amount_micro", "created_at", "id"),
        Index("ix_payouts_user_state", "user_id", "state", "created_at", "id"),
        Index(
            "ix_payouts_open",
            "created_at",
            postgresql_where=text("state NOT IN ('COMPLETED', 'FAILED')"),
        ),
        Index("ix_payouts_on_hold", "created_at", postgresql_where=text("state = 'ON_HOLD'")),
        Index("ix_payouts_waits", "network", postgresql_where=text("waits_for IS NOT NULL")),
        Index(
            "uq_payouts_idempotency_key",
            "user_id",
            "idempotency_key",
            unique=True,
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    network: Mapped[str] = mapped_column(Text)
    wallet_address: Mapped[str] = mapped_column(Text)
    amount_micro: Mapped[Usdc] = mapped_column(UsdcType)
    fee_micro: Mapped[Usdc] = mapped_column(UsdcType)
    state: Mapped[str] = mapped_column(Text)
    failure_code: Mapped[str | None] = mapped_column(Text)
    tx_hash: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    idempotency_key: Mapped[str | None] = mapped_column(Text, default=idempotency.key)

    source: Mapped[str | None] = mapped_column(Text)
    hold_reason: Mapped[str | None] = mapped_column(Text)
    cleared: Mapped[bool] = mapped_column(default=False, server_default="false")
    approval: Mapped[str | None] = mapped_column(Text)
    cancel_asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    signed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    waits_for: Mapped[str | None] = mapped_column(Text)
    waits_since: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def total(self) -> Usdc:
        """What leaves the balance: amount and fee."""
        return self.amount_micro + self.fee_micro


class PayoutAttempt(Base):
    """Signed bytes that pay one payout or several, on disk before anybody else has seen them.

    Attributes:
        payout_id: of the release before, which had one payout in each: no longer written.
        sequence: the sender's nonce, where the network has them.
        terms: what the signature is bound to, expiry included.
        state: OPEN while one of its payouts is; then the best that any of them came to.
    """

    __tablename__ = "payout_attempts"
    __table_args__ = (
        state_check("state", ATTEMPT),
        UniqueConstraint("network", "tx_hash", name="uq_payout_attempts_tx_hash"),
        Index(
            "uq_payout_attempts_sequence",
            "network",
            "sender",
            "sequence",
            unique=True,
            postgresql_where=text("state = 'OPEN'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    payout_id: Mapped[str | None] = mapped_column(Text, ForeignKey("payouts.id"))
    network: Mapped[str] = mapped_column(Text)
    sender: Mapped[str] = mapped_column(Text)
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    sequence_used: Mapped[bool]
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    tx_hash: Mapped[str] = mapped_column(Text)
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OutbidSend(Base):
    """Bytes of an attempt that newer ones outbid: whichever is mined pays, and only once.

    Attributes:
        outbid_at: when the newer ones, in the attempt itself or the next row, were stored.
    """

    __tablename__ = "outbid_sends"

    attempt_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("payout_attempts.id"), primary_key=True
    )
    tx_hash: Mapped[str] = mapped_column(Text, primary_key=True)
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    outbid_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AttemptedPayout(Base):
    """One payout's part in an attempt, and what became of it."""

    __tablename__ = "attempted_payouts"
    __table_args__ = (
        state_check("state", ATTEMPT),
        # One send in flight per payout: the database holds it, whatever the program does.
        Index(
            "uq_attempted_payouts_open",
            "payout_id",
            unique=True,
            postgresql_where=text("state = 'OPEN'"),
        ),
        Index("ix_attempted_payouts_payout", "payout_id"),
    )

    attempt_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("payout_attempts.id"), primary_key=True
    )
    payout_id: Mapped[str] = mapped_column(Text, ForeignKey("payouts.id"), primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SendLane(Base):
    """The next nonce of a wallet: given out in the transaction that stores the attempt."""

    __tablename__ = "send_lanes"

    network: Mapped[str] = mapped_column(Text, primary_key=True)
    sender: Mapped[str] = mapped_column(Text, primary_key=True)
    next_sequence: Mapped[int] = mapped_column(BigInteger)


class PayeeLook(Base):
    """What a network was asked about an address that somebody means to pay, and has said.

    Attributes:
        address: in canonical form.
        asked_at: when it was asked for last; ``told_at`` when the answer came, None while none has.
    """

    __tablename__ = "payee_looks"
    __table_args__ = (
        state_check("state", PAYEE_LOOK),
        CheckConstraint("(state = 'LOOKING') = (told_at IS NULL)", name="told"),
        Index("ix_payee_looks_asked", "asked_at"),
    )

    network: Mapped[str] = mapped_column(Text, primary_key=True)
    address: Mapped[str] = mapped_column(Text, primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SignedMinute(Base):
    """What was signed for the first time in one minute: the memory of the signer's ceilings."""

    __tablename__ = "signed_minutes"
    __table_args__ = (CheckConstraint("micro > 0", name="above_zero"),)

    network: Mapped[str] = mapped_column(Text, primary_key=True)
    minute: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    micro: Mapped[Usdc] = mapped_column(UsdcType)
