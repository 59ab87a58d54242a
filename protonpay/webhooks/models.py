"""Endpoints, deliveries and what became of each attempt."""

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.store.db import Base
from protonpay.store.types import Sealed, UtcDateTime, state_check
from protonpay.webhooks.states import DELIVERY

SECRET_PURPOSE = "webhook endpoint secret"  # noqa: S105 - says what it is for


class WebhookEndpoint(Base):
    """An integrator's address and the events it asked for.

    Attributes:
        secret: sealed; both signatures are made with it. Empty once removed.
        disabled_reason: why it hears nothing any more; None while it does.
        throttle_per_second: how many attempts a second it wants at most; None for no limit.
        deleted_at: removed; the row stays for what was delivered to it.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        CheckConstraint("throttle_per_second BETWEEN 1 AND 100", name="throttle"),
        Index(
            "uq_webhook_endpoints_url",
            "user_id",
            "url",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[list[str]] = mapped_column(ARRAY(Text))
    description: Mapped[str | None] = mapped_column(Text)
    throttle_per_second: Mapped[int | None] = mapped_column(SmallInteger)
    secret: Mapped[bytes] = mapped_column(Sealed(SECRET_PURPOSE))
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    disabled_reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def enabled(self) -> bool:
        """Whether events reach it."""
        return self.disabled_at is None


class RetiringSecret(Base):
    """A secret that was replaced and still verifies for a while; sealed, as the newest is."""

    __tablename__ = "webhook_retiring_secrets"
    __table_args__ = (Index("ix_webhook_retiring_secrets_endpoint_id", "endpoint_id", "ends_at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    endpoint_id: Mapped[str] = mapped_column(
        Text, ForeignKey("webhook_endpoints.id", ondelete="CASCADE")
    )
    secret: Mapped[bytes] = mapped_column(Sealed(SECRET_PURPOSE))
    retired_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)


class WebhookDelivery(Base):
    """One event on its way to one endpoint; the row is the truth, the queue a nudge.

    Whoever makes it PENDING and due makes its lane due: the database does.

    Attributes:
        event_at: when its event happened; its month is where the row is kept.
        attempts: how many were begun; also the fence of a lease.
        tries_before: of them, those before it was asked for anew: the schedule begins there.
        leased_until: a worker has it in hand until then.
        resent_from: its owner asks for one try more; the state it is in again if that fails.
        resent_due_at: and when it is due then.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        state_check("state", DELIVERY),
        UniqueConstraint(
            "event_id", "endpoint_id", "event_at", name="uq_webhook_deliveries_event_endpoint"
        ),
        Index(
            "ix_webhook_deliveries_lane",
            "endpoint_id",
            "due_at",
            "id",
            postgresql_where=text("state = 'PENDING'"),
        ),
        Index("ix_webhook_deliveries_endpoint", "endpoint_id", "id"),
        Index("ix_webhook_deliveries_history", "endpoint_id", "event_at", "event_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    event_id: Mapped[str] = mapped_column(Text)
    event_at: Mapped[datetime] = mapped_column(UtcDateTime)
    endpoint_id: Mapped[str] = mapped_column(
        Text, ForeignKey("webhook_endpoints.id", ondelete="CASCADE")
    )
    state: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    tries_before: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resent_from: Mapped[str | None] = mapped_column(Text)
    resent_due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class WebhookLane(Base):
    """What stands before an endpoint, and how it has answered.

    Attributes:
        due_at: not after its first pending delivery; None when there is none.
        leased_until: a process has it in hand until then; ``fence`` tells one holding from another.
        served_at: when one let go of it last.
        width: how many attempts at once it bears; ``slow``: it lets us wait.
        failing_since: its first failure after its last success, if it fails.
        failures: how many there were since; from ten on one try is made at a time,
            at ``probe_at`` the earliest.
        blocked_since: the same, of addresses we do not go to.
        warned_at: when its owner was told that it fails.
        paced_until: it wants to hear nothing before then.
    """

    __tablename__ = "webhook_lanes"
    __table_args__ = (
        CheckConstraint("width > 0", name="width"),
        Index("ix_webhook_lanes_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

    endpoint_id: Mapped[str] = mapped_column(
        Text, ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), primary_key=True
    )
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fence: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    served_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    width: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    slow: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    failures: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    probe_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    blocked_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    warned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paced_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class WebhookAttempt(Base):
    """What one attempt met.

    Attributes:
        began_at: its month is where the row is kept.
        outcome: ``delivered``, or a code of what went wrong (``timeout`` …).
        answer_head: the first 2 KiB of what the receiver answered, as text.
        manual: its owner asked for it.
        url, signature: where it went, and what ``webhook-signature`` said.
    """

    __tablename__ = "webhook_attempts"
    __table_args__ = (Index("ix_webhook_attempts_delivery", "delivery_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    delivery_id: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[int] = mapped_column(Integer)
    began_at: Mapped[datetime] = mapped_column(UtcDateTime)
    milliseconds: Mapped[int] = mapped_column(Integer)
    status: Mapped[int | None] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(Text)
    answer_head: Mapped[str] = mapped_column(Text)
    manual: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    url: Mapped[str | None] = mapped_column(Text)
    signature: Mapped[str | None] = mapped_column(Text)
