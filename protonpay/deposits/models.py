"""Deposits, and what providers told us about them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

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

from protonpay.deposits.states import DEPOSIT
from protonpay.kernel.fiat import FiatAmount, Rate
from protonpay.kernel.money import ZERO, Usdc
from protonpay.store import idempotency
from protonpay.store.db import Base
from protonpay.store.types import UsdcType, UtcDateTime, state_check


class Deposit(Base):
    """Money on its way in.

    Attributes:
        method: ``CARD`` has provider, fiat amount and rate; ``CRYPTO`` network and transfer.
        amount_micro: what is credited in all, at the stored rate; our commission included.
        currency: what was paid in; USDC on chain.
        fiat_minor: the card amount in the currency's minor units.
        rate_scaled: units of the currency per USDC, times 10⁸ (``kernel.fiat.Rate``).
        provider_ref: the provider's id; None while its answer is not known.
        page_url: the hosted page, for who asks again with the same idempotency key.
        incoming_id: the transfer on chain that this follows.
        idempotency_key: the key it was ordered under; None again if the provider refused it.
        refunded_minor: what the provider gave back of ``fiat_minor``, as far as it is booked.
        refunded_micro: what was taken back of ``credited`` for it.
        return_payout_id: the payout that sends it back to its sender.
        differences: what is not as ordered → (ordered, paid), while that is under review.
        invoice_id: the invoice of its user that somebody pays with it; whose room follows it.
    """

    __tablename__ = "deposits"
    __table_args__ = (
        state_check("state", DEPOSIT),
        CheckConstraint("amount_micro > 0 AND commission_micro >= 0", name="amounts"),
        CheckConstraint(
            "refunded_minor BETWEEN 0 AND fiat_minor"
            " AND refunded_micro BETWEEN 0 AND amount_micro - commission_micro",
            name="refunded",
        ),
        UniqueConstraint("provider", "provider_ref", name="uq_deposits_provider_ref"),
        CheckConstraint(
            "CASE method WHEN 'CARD' THEN num_nulls(provider, fiat_minor, rate_scaled, rate_source,"
            " rated_at) = 0 WHEN 'CRYPTO' THEN num_nulls(network, tx_hash, incoming_id) = 0"
            " ELSE false END",
            name="whole",
        ),
        Index("ix_deposits_user", "user_id", "created_at", "id"),
        Index(
            "uq_deposits_idempotency_key",
            "user_id",
            "idempotency_key",
            unique=True,
            postgresql_where=text("idempotency_key IS NOT NULL"),
        ),
        # What a person looks for: a hash, an address, a sum (``overview/search.py``).
        *(
            Index(
                f"ix_deposits_{column}",
                *("user_id", column, "created_at", "id"),
                postgresql_ops={column: "text_pattern_ops"},
                postgresql_where=text("method = 'CRYPTO'"),
            )
            for column in ("tx_hash", "sender")
        ),
        Index(
            "ix_deposits_amount",
            *("user_id", text("(amount_micro - commission_micro)"), "created_at", "id"),
        ),
        Index("ix_deposits_user_state", "user_id", "state", "created_at", "id"),
        Index("ix_deposits_on_hold", "created_at", postgresql_where=text("state = 'ON_HOLD'")),
        Index("ix_deposits_review", "created_at", postgresql_where=text("state = 'REVIEW'")),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    method: Mapped[str] = mapped_column(Text)
    provider: Mapped[str | None] = mapped_column(Text)
    provider_ref: Mapped[str | None] = mapped_column(Text)
    page_url: Mapped[str | None] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    fiat_minor: Mapped[int | None] = mapped_column(BigInteger)
    rate_scaled: Mapped[int | None] = mapped_column(BigInteger)
    rate_source: Mapped[str | None] = mapped_column(Text)
    rated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    network: Mapped[str | None] = mapped_column(Text)
    tx_hash: Mapped[str | None] = mapped_column(Text)
    sender: Mapped[str | None] = mapped_column(Text)
    incoming_id: Mapped[str | None] = mapped_column(Text, ForeignKey("incoming.id"), unique=True)
    amount_micro: Mapped[Usdc] = mapped_column(UsdcType)
    commission_micro: Mapped[Usdc] = mapped_column(UsdcType)
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    idempotency_key: Mapped[str | None] = mapped_column(Text, default=idempotency.key)
    refunded_minor: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    refunded_micro: Mapped[Usdc] = mapped_column(UsdcType, default=ZERO, server_default="0")
    return_payout_id: Mapped[str | None] = mapped_column(Text, ForeignKey("payouts.id"))
    invoice_id: Mapped[str | None] = mapped_column(Text)
    differences: Mapped[Mapping[str, Sequence[str | None]] | None] = mapped_column(
        JSONB(none_as_null=True)
    )

    @property
    def fiat(self) -> FiatAmount:
        """The card amount.

        Raises:
            LookupError: this came on chain.
        """
        if self.fiat_minor is None:
            raise LookupError(f"deposit {self.id} is not of a card")
        return FiatAmount(self.fiat_minor, self.currency)

    @property
    def paid(self) -> str:
        """The amount in the currency that was paid."""
        return str(self.amount_micro if self.fiat_minor is None else self.fiat)

    @property
    def credited(self) -> Usdc:
        """What the user gets."""
        return self.amount_micro - self.commission_micro

    @property
    def refunded(self) -> FiatAmount:
        """What the provider gave back, as far as it is booked."""
        return FiatAmount(self.refunded_minor, self.currency)

    def shares(self, part: FiatAmount) -> tuple[Usdc, Usdc]:
        """Say what the user got and what we kept for a part of the card amount.

        At the stored rate, whatever it is today; of the whole they are ``credited`` and the
        commission to the millionth.

        Raises:
            LookupError: this came on chain.
        """
        if self.rate_scaled is None:
            raise LookupError(f"deposit {self.id} is not of a card")
        gross = Rate(self.rate_scaled).to_usdc(part)
        commission = self.commission_micro.portion(gross, self.amount_micro)
        return gross - commission, commission


class ProviderCallback(Base):
    """An authentic callback, kept as it came, before anything is done about it."""

    __tablename__ = "provider_callbacks"
    __table_args__ = (
        UniqueConstraint("provider", "event_id", name="uq_provider_callbacks_event_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    provider: Mapped[str] = mapped_column(Text)
    event_id: Mapped[str] = mapped_column(Text)
    provider_ref: Mapped[str] = mapped_column(Text)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
