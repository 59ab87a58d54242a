"""Deliver: take due rows, post without a transaction open, write down what happened."""

import secrets
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, update

from protonpay.kernel import clock
from protonpay.kernel.events import signed_body, standard_signature
from protonpay.store.db import release, transaction
from protonpay.store.events import EventRow
from protonpay.store.secrets import safe
from protonpay.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from protonpay.webhooks.service import SECRET_PURPOSE
from protonpay.webhooks.states import DELIVERY
from protonpay.wire.outbound import Outcome, deliver

log = structlog.get_logger(__name__)

RETRY_SECONDS = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""The wait after each failed attempt: ten attempts within three days (Standard Webhooks)."""

_LEASE = timedelta(seconds=60)
_LARGEST_JITTER_PERCENT = 20
_GONE = 410


@dataclass(frozen=True, slots=True)
class Parcel:
    """Everything one attempt needs, read before the database is let go."""

    delivery_id: int
    number: int
    endpoint_id: str
    url: str
    secret: str
    event_id: str
    core: bytes


def deliver_due(limit: int = 20) -> int:
    """Attempt up to ``limit`` due deliveries; return how many were attempted."""
    parcels = _take(limit)
    if not parcels:
        return 0
    # Posting waits for strangers: each has a thread of its own, the database has one.
    with ThreadPoolExecutor(max_workers=len(parcels)) as threads:
        posted = {threads.submit(_post, parcel): parcel for parcel in parcels}
        for done in as_completed(posted):
            _record(posted[done], *done.result())
    return len(parcels)


def _take(limit: int) -> list[Parcel]:
    """Lease due rows and count the attempt before it is made."""
    now = clock.now()
    due = (
        select(WebhookDelivery.id)
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
        .where(
            WebhookDelivery.state == DELIVERY.initial,
            WebhookDelivery.due_at <= now,
            WebhookDelivery.leased_until.is_(None) | (WebhookDelivery.leased_until < now),
            WebhookEndpoint.disabled_at.is_(None),
        )
        .order_by(WebhookDelivery.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=WebhookDelivery)
    )
    with transaction() as session:
        taken = session.execute(
            update(WebhookDelivery)
            .where(WebhookDelivery.id.in_(due.scalar_subquery()))
            .values(attempts=WebhookDelivery.attempts + 1, leased_until=now + _LEASE)
            .returning(WebhookDelivery.id)
        )
        taken_ids = list(taken.scalars())
        rows = session.execute(
            select(WebhookDelivery, WebhookEndpoint, EventRow)
            .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
            .join(EventRow, EventRow.id == WebhookDelivery.event_id)
            .where(WebhookDelivery.id.in_(taken_ids))
            .order_by(WebhookDelivery.id)
        ).all()
        parcels = [_parcel(delivery, endpoint, event) for delivery, endpoint, event in rows]
    release()
    return parcels


def _parcel(delivery: WebhookDelivery, endpoint: WebhookEndpoint, event: EventRow) -> Parcel:
    return Parcel(
        delivery_id=delivery.id,
        number=delivery.attempts,
        endpoint_id=endpoint.id,
        url=endpoint.url,
        secret=safe.open(endpoint.secret, SECRET_PURPOSE),
        event_id=event.id,
        core=event.core,
    )


def _post(parcel: Parcel) -> tuple[datetime, Outcome]:
    began = clock.now()
    body = signed_body(parcel.core, parcel.secret)
    timestamp = clock.to_epoch_ms(began) // 1000
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "ProtonPay-Webhooks/1.0",
        "webhook-id": parcel.event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": standard_signature(parcel.event_id, timestamp, body, parcel.secret),
    }
    return began, deliver(parcel.url, body, headers)


def _record(parcel: Parcel, began: datetime, outcome: Outcome) -> None:
    now = clock.now()
    with transaction() as session:
        if outcome.status == _GONE:
            # Endpoint first, deliveries after it: the order of its owner's hand, too.
            _disable(parcel.endpoint_id, now, "gone")
        session.add(
            WebhookAttempt(
                delivery_id=parcel.delivery_id,
                number=parcel.number,
                began_at=began,
                milliseconds=outcome.milliseconds,
                status=outcome.status,
                outcome=outcome.code,
                answer_head=outcome.head,
            )
        )
        session.execute(
            update(WebhookDelivery)
            # Who lost the lease has lost the right to say how it ended.
            .where(
                WebhookDelivery.id == parcel.delivery_id,
                WebhookDelivery.attempts == parcel.number,
                WebhookDelivery.state == DELIVERY.initial,
            )
            .values(leased_until=None, **_consequence(parcel.number, outcome, now))
        )


def _consequence(number: int, outcome: Outcome, now: datetime) -> dict[str, object]:
    if outcome.delivered:
        return {"state": "DELIVERED", "ended_at": now}
    if number > len(RETRY_SECONDS):
        return {"state": "EXHAUSTED", "ended_at": now}
    return {"due_at": now + _wait(RETRY_SECONDS[number - 1])}


def _wait(seconds: int) -> timedelta:
    # Jitter only adds: a delay is never shorter than promised.
    percent = 100 + secrets.randbelow(_LARGEST_JITTER_PERCENT + 1)
    return timedelta(milliseconds=seconds * percent * 10)


def _disable(endpoint_id: str, now: datetime, reason: str) -> None:
    with transaction() as session:
        session.execute(
            update(WebhookEndpoint)
            .where(WebhookEndpoint.id == endpoint_id, WebhookEndpoint.disabled_at.is_(None))
            .values(disabled_at=now, disabled_reason=reason)
        )
        session.execute(
            update(WebhookDelivery)
            .where(WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.state == "PENDING")
            .values(state="CANCELLED", ended_at=now)
        )
