"""Invoices, what was paid for them, and what of it was given back."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.hybrid import hybrid_method
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.invoices.states import (
    CARD,
    CARD_ALIVE,
    CLAIM,
    INVOICE,
    LOOKUP,
    OPEN,
    PAYMENT,
    REFUND,
    Terms,
)
from protonpay.kernel import clock
from protonpay.kernel.fiat import FiatAmount
from protonpay.kernel.money import ZERO, Usdc
from protonpay.store.db import Base
from protonpay.store.types import UsdcType, UtcDateTime, state_check


class Invoice(Base):
    """A request to pay an amount until a moment.

    Attributes:
        tolerance_micro: it is paid if at most so much is missing.
        accept_late: what comes after the end may pay it too.
        redirect_url: where its payer goes back to once it is paid.
        embed_origin: the origin of the site that may show its pay page in a frame.
        received_micro: credited to its owner for it, at whatever time.
        refunded_micro: given back of that.
        late: something came after its end.
        extensions_left: how often its payer may still have more time.
        attached: texts by their names, as its owner gave them along; its payer sees none of them.
        note: what its owner has noted about it since, for nobody else.
        rest_of_id: the invoice of which this one is for what was still missing.
        rest_asked_at: when its payer asked last for such an invoice.
        accepted_at: when its owner took what had come for all of it.
        paid_at: when it first counted as paid; ``ended_at``: when it left the open states.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        state_check("state", INVOICE),
        CheckConstraint(
            "amount_micro > 0 AND tolerance_micro >= 0 AND tolerance_micro < amount_micro"
            " AND received_micro >= 0 AND refunded_micro >= 0"
            " AND refunded_micro <= received_micro",
            name="amounts",
        ),
        CheckConstraint("extensions_left >= 0", name="extensions"),
        Index("ix_invoices_user", "user_id", "created_at", "id"),
        Index("ix_invoices_amount", "user_id", "amount_micro", "created_at", "id"),
        Index(
            "ix_invoices_rest_of",
            *("rest_of_id", "created_at"),
            postgresql_where=text("rest_of_id IS NOT NULL"),
        ),
        Index("ix_invoices_user_state", "user_id", "state", "created_at", "id"),
        Index(
            "ix_invoices_ending",
            "user_id",
            "expires_at",
            postgresql_where=text("state = 'PENDING'"),
        ),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    amount_micro: Mapped[Usdc] = mapped_column(UsdcType)
    tolerance_micro: Mapped[Usdc] = mapped_column(UsdcType)
    accept_late: Mapped[bool]
    description: Mapped[str | None] = mapped_column(Text)
    redirect_url: Mapped[str | None] = mapped_column(Text)
    embed_origin: Mapped[str | None] = mapped_column(Text)
    attached: Mapped[Mapping[str, str]] = mapped_column(
        "metadata", JSONB, default=dict, server_default=text("'{}'")
    )
    note: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    received_micro: Mapped[Usdc] = mapped_column(UsdcType, default=ZERO)
    refunded_micro: Mapped[Usdc] = mapped_column(UsdcType, default=ZERO)
    late: Mapped[bool] = mapped_column(default=False)
    extensions_left: Mapped[int] = mapped_column(SmallInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rest_of_id: Mapped[str | None] = mapped_column(Text, ForeignKey("invoices.id"))
    rest_asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paid_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @hybrid_method
    def is_over(self, moment: datetime) -> bool:
        """Whether its time has passed: the second that is told as its end still counts, whole."""
        return self.expires_at < clock.second(moment)

    @property
    def terms(self) -> Terms:
        """When it counts as paid."""
        if self.accepted_at is not None:
            # By whatever has come.
            return Terms(self.amount_micro, self.missing, accept_late=True)
        return Terms(self.amount_micro, self.tolerance_micro, self.accept_late)

    @property
    def missing(self) -> Usdc:
        """What is still to be paid, whatever the state."""
        return max(ZERO, self.amount_micro - self.received_micro)

    @property
    def due(self) -> Usdc:
        """What its payer is still asked for."""
        return self.missing if self.state in OPEN else ZERO

    @property
    def over(self) -> Usdc:
        """What was paid beyond its amount."""
        return max(ZERO, self.received_micro - self.amount_micro)

    @property
    def is_short(self) -> bool:
        """Whether it counts as paid though a little is missing."""
        return self.paid_at is not None and self.received_micro < self.amount_micro


class InvoicePayment(Base):
    """Money for an invoice: a row for each, and each ends in one entry of the book.

    Attributes:
        owner_id: who is credited.
        method: ``BALANCE`` has a payer; ``CRYPTO`` a network and a transfer; ``CARD`` a deposit,
            whose entry of the book is this payment's, commission included.
        late: came after the end of the invoice.
        commission_micro: our part of what was credited.
        hold_reason: why it is or was on hold, for operators.
        return_payout_id: the payout that sends it back to its sender.
    """

    __tablename__ = "invoice_payments"
    __table_args__ = (
        state_check("state", PAYMENT),
        CheckConstraint(
            "amount_micro > 0 AND commission_micro >= 0 AND commission_micro <= amount_micro",
            name="amounts",
        ),
        CheckConstraint(
            "CASE method WHEN 'BALANCE' THEN payer_id IS NOT NULL AND incoming_id IS NULL"
            " WHEN 'CRYPTO' THEN num_nulls(network, tx_hash, incoming_id) = 0"
            " AND payer_id IS NULL WHEN 'CARD' THEN deposit_id IS NOT NULL"
            " AND num_nonnulls(payer_id, incoming_id, network) = 0 ELSE false END",
            name="whole",
        ),
        # Whoever pays from a balance pays the rest, so there is one such payment at most.
        Index(
            "uq_invoice_payments_balance",
            "invoice_id",
            unique=True,
            postgresql_where=text("method = 'BALANCE'"),
        ),
        Index("ix_invoice_payments_invoice", "invoice_id", "created_at", "id"),
        # Histories ask for the two methods apart, and for what is not final yet.
        Index(
            "ix_invoice_payments_chain",
            *("owner_id", "created_at", "id"),
            postgresql_where=text("method = 'CRYPTO'"),
        ),
        Index(
            "ix_invoice_payments_state",
            *("owner_id", "state", "created_at", "id"),
            postgresql_where=text("method = 'CRYPTO'"),
        ),
        Index(
            "ix_invoice_payments_inside",
            *("owner_id", "created_at", "id"),
            postgresql_where=text("payer_id IS NOT NULL"),
        ),
        Index(
            "ix_invoice_payments_on_hold",
            "created_at",
            postgresql_where=text("state = 'ON_HOLD'"),
        ),
        Index("ix_invoice_payments_payer", "payer_id", "created_at", "id"),
        # What a person looks for: a hash, an address, a sum (``overview/search.py``).
        *(
            Index(
                f"ix_invoice_payments_{column}",
                *("owner_id", column, "created_at", "id"),
                postgresql_ops={column: "text_pattern_ops"},
                postgresql_where=text("method = 'CRYPTO'"),
            )
            for column in ("tx_hash", "sender")
        ),
        Index(
            "ix_invoice_payments_amount",
            *("owner_id", text("(amount_micro - commission_micro)"), "created_at", "id"),
            postgresql_where=text("method = 'CRYPTO'"),
        ),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    invoice_id: Mapped[str] = mapped_column(Text, ForeignKey("invoices.id"))
    owner_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    method: Mapped[str] = mapped_column(Text)
    payer_id: Mapped[str | None] = mapped_column(Text, ForeignKey("users.id"))
    incoming_id: Mapped[str | None] = mapped_column(Text, ForeignKey("incoming.id"), unique=True)
    deposit_id: Mapped[str | None] = mapped_column(Text, ForeignKey("deposits.id"), unique=True)
    network: Mapped[str | None] = mapped_column(Text)
    tx_hash: Mapped[str | None] = mapped_column(Text)
    sender: Mapped[str | None] = mapped_column(Text)
    amount_micro: Mapped[Usdc] = mapped_column(UsdcType)
    commission_micro: Mapped[Usdc] = mapped_column(UsdcType, default=ZERO)
    state: Mapped[str] = mapped_column(Text)
    late: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    credited_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    hold_reason: Mapped[str | None] = mapped_column(Text)
    return_payout_id: Mapped[str | None] = mapped_column(Text, ForeignKey("payouts.id"))


class InvoiceRefund(Base):
    """Money given back: to the balance it came from, by a payout to a wallet, or to a card.

    Attributes:
        payer_id: whose balance it went back to; ``payout_id``: the payout that carries it.
        deposit_id: the card deposit of which its provider gave it back.
    """

    __tablename__ = "invoice_refunds"
    __table_args__ = (
        state_check("state", REFUND),
        CheckConstraint("amount_micro > 0", name="amounts"),
        CheckConstraint("num_nonnulls(payer_id, payout_id, deposit_id) = 1", name="whole"),
        Index("ix_invoice_refunds_invoice", "invoice_id", "created_at", "id"),
        Index(
            "ix_invoice_refunds_owner",
            *("owner_id", "created_at", "id"),
            postgresql_where=text("payer_id IS NOT NULL"),
        ),
        Index("ix_invoice_refunds_payer", "payer_id", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    invoice_id: Mapped[str] = mapped_column(Text, ForeignKey("invoices.id"))
    owner_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    payer_id: Mapped[str | None] = mapped_column(Text, ForeignKey("users.id"))
    payout_id: Mapped[str | None] = mapped_column(Text, ForeignKey("payouts.id"), unique=True)
    deposit_id: Mapped[str | None] = mapped_column(Text, ForeignKey("deposits.id"))
    amount_micro: Mapped[Usdc] = mapped_column(UsdcType)
    state: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class InvoiceCard(Base):
    """A card provider's page by which somebody pays an invoice; one at a time.

    Attributes:
        deposit_id: the card deposit of the invoice's owner that the page is for.
        amount_micro: of the invoice, what it pays: what was due when it was ordered. The deposit
            may be worth a little more, up to the smallest coin of its currency. Where another
            amount was paid and let through, what that brought.
        provider: whose page; ``fiat`` is what it asks for, or what was let through.
        page_url: where it is; None while the provider has not answered.
    """

    __tablename__ = "invoice_cards"
    __table_args__ = (
        state_check("state", CARD),
        CheckConstraint("amount_micro > 0", name="amounts"),
        Index(
            "uq_invoice_cards_alive",
            "invoice_id",
            unique=True,
            postgresql_where=text(f"state IN {CARD_ALIVE}"),
        ),
        Index("ix_invoice_cards_invoice", "invoice_id", "created_at", "deposit_id"),
    )

    deposit_id: Mapped[str] = mapped_column(Text, ForeignKey("deposits.id"), primary_key=True)
    invoice_id: Mapped[str] = mapped_column(Text, ForeignKey("invoices.id"))
    amount_micro: Mapped[Usdc] = mapped_column(UsdcType)
    provider: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    fiat_minor: Mapped[int] = mapped_column(BigInteger)
    page_url: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def fiat(self) -> FiatAmount:
        """What the page asks for."""
        return FiatAmount(self.fiat_minor, self.currency)


class InvoiceClaim(Base):
    """What a payer asks back, and where to: whoever has the pay page may ask, its owner decides.

    Attributes:
        refund_id: the refund it became.
    """

    __tablename__ = "invoice_claims"
    __table_args__ = (
        state_check("state", CLAIM),
        CheckConstraint("amount_micro > 0", name="amounts"),
        # One at a time: the owner decides about what they have read.
        Index(
            "uq_invoice_claims_open",
            "invoice_id",
            unique=True,
            postgresql_where=text("state = 'OPEN'"),
        ),
        Index("ix_invoice_claims_invoice", "invoice_id", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    invoice_id: Mapped[str] = mapped_column(Text, ForeignKey("invoices.id"))
    amount_micro: Mapped[Usdc] = mapped_column(UsdcType)
    wallet_address: Mapped[str] = mapped_column(Text)
    network: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    refund_id: Mapped[str | None] = mapped_column(
        Text, ForeignKey("invoice_refunds.id"), unique=True
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class InvoiceLetter(Base):
    """A letter with an invoice's pay page, to who shall pay it.

    Attributes:
        user_id: the invoice's owner, whose letters are counted.
        email: to whom.
    """

    __tablename__ = "invoice_letters"
    __table_args__ = (
        Index("ix_invoice_letters_invoice", "invoice_id", "created_at", "id"),
        Index("ix_invoice_letters_user", "user_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    invoice_id: Mapped[str] = mapped_column(Text, ForeignKey("invoices.id"))
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    email: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class InvoiceLookup(Base):
    """A transaction that a payer says has paid an invoice, and what its network says of it.

    Attributes:
        network: which is asked first; once something is found, where it is.
        coin: of what came, where it is not USDC: the token's contract or mint, or ``native``.
        tries: how often it was asked.
    """

    __tablename__ = "invoice_lookups"
    __table_args__ = (
        state_check("state", LOOKUP),
        UniqueConstraint("invoice_id", "tx_hash"),
        Index("ix_invoice_lookups_invoice", "invoice_id", "created_at", "id"),
        Index(
            "ix_invoice_lookups_wrong",
            "created_at",
            postgresql_where=text("state = 'WRONG_TOKEN'"),
        ),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    invoice_id: Mapped[str] = mapped_column(Text, ForeignKey("invoices.id"))
    network: Mapped[str] = mapped_column(Text)
    tx_hash: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    coin: Mapped[str | None] = mapped_column(Text)
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
