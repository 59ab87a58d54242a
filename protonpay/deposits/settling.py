"""Credit a card deposit once, on the provider's own word only.

A callback, a returning browser and the clock all end here: the provider is asked, what it
says is compared with what was ordered, and one transaction moves state, money and event.
"""

from datetime import timedelta

import structlog
from sqlalchemy import select

from protonpay.cards.port import CardPayment, CardStatus, Rejected
from protonpay.cards.registry import card_providers
from protonpay.deposits.models import Deposit
from protonpay.deposits.states import DEPOSIT
from protonpay.kernel import clock, events
from protonpay.ledger import entries
from protonpay.ledger import service as ledger
from protonpay.store.db import db, release, transaction
from protonpay.store.events import publish
from protonpay.store.jobs import Later
from protonpay.wire.http import NoAnswer

log = structlog.get_logger(__name__)

_ASKED_FOR = timedelta(hours=48)
_ENDS = {
    CardStatus.FAILED: "FAILED",
    CardStatus.CANCELED: "FAILED",
    CardStatus.EXPIRED: "EXPIRED",
}


def ask_about(provider: str, provider_ref: str) -> Later | None:
    """Ask the provider about one payment and do what follows from its answer."""
    try:
        payment = card_providers.get(provider).fetch_payment(provider_ref)
    except NoAnswer as unknown:
        return Later(10, repr(unknown))
    except Rejected as rejected:
        log.exception("payment_not_readable", provider=provider)
        return Later(300, rejected.reason)
    if payment.status in (CardStatus.PENDING, CardStatus.UNRESOLVED):
        return None
    apply(provider, payment)
    return None


def check(deposit_id: str) -> Later | None:
    """Look after a deposit whose callback may never come, until it is final or two days old."""
    deposit = db.session.get(Deposit, deposit_id, populate_existing=True)
    release()
    if deposit is None or deposit.state != DEPOSIT.initial:
        return None
    age = clock.now() - deposit.created_at
    # Without a provider's reference the answer to our request for a page never came: nobody
    # was shown one, and there is nothing to ask about.
    if deposit.provider and deposit.provider_ref:
        unknown = ask_about(deposit.provider, deposit.provider_ref)
        if unknown is not None:
            return unknown
    if age > _ASKED_FOR:
        _expire(deposit_id)
        return None
    return Later(_next_look(age), "not final")


def apply(provider: str, payment: CardPayment) -> None:
    """Move the deposit a payment belongs to, at most once to each end."""
    with transaction() as session:
        deposit = session.scalar(
            select(Deposit).where(Deposit.id == payment.reference).with_for_update()
        )
        if deposit is None or deposit.provider != provider:
            log.error("payment_of_nobody", provider=provider, provider_ref=payment.provider_ref)
            return
        if payment.status is CardStatus.CAPTURED:
            _captured(deposit, payment)
        elif DEPOSIT.may(deposit.state, _ENDS[payment.status]):
            deposit.state = _ENDS[payment.status]
            deposit.reason, deposit.ended_at = payment.reason, clock.now()


def _captured(deposit: Deposit, payment: CardPayment) -> None:
    if deposit.state == "CONFIRMED":
        if deposit.provider_ref != payment.provider_ref:
            log.error("charged_twice", deposit_id=deposit.id, provider_ref=payment.provider_ref)
        return
    wrong = _differences(deposit, payment)
    if wrong:
        log.error("payment_differs", deposit_id=deposit.id, differences=wrong)
        if DEPOSIT.may(deposit.state, "REVIEW"):
            deposit.state, deposit.reason = "REVIEW", f"differs: {', '.join(wrong)}"
        return
    DEPOSIT.check(deposit.state, "CONFIRMED")
    deposit.state, deposit.reason, deposit.ended_at = "CONFIRMED", None, clock.now()
    deposit.provider_ref = payment.provider_ref
    provider = deposit.provider or ""
    entry = entries.card_credit(
        deposit.id, provider, deposit.user_id, deposit.credited, deposit.commission_micro
    )
    ledger.post(entry)
    publish(events.DEPOSIT_CARD_SUCCESS, deposit.user_id, _said(deposit))


def _differences(deposit: Deposit, payment: CardPayment) -> list[str]:
    checks = {
        "amount": payment.amount == deposit.fiat,
        "payment": deposit.provider_ref in (None, payment.provider_ref),
        "mode": payment.live == card_providers.live,
    }
    return [name for name, same in checks.items() if not same]


def _expire(deposit_id: str) -> None:
    with transaction() as session:
        deposit = session.get_one(Deposit, deposit_id, with_for_update=True)
        if deposit.state == DEPOSIT.initial:
            deposit.state, deposit.reason, deposit.ended_at = "EXPIRED", "not paid", clock.now()


def _next_look(age: timedelta) -> int:
    # 2, 5, 15, 35 and 65 minutes after the order, then every hour.
    for minutes in (2, 5, 15, 35, 65):
        wait = timedelta(minutes=minutes) - age
        if wait > timedelta(seconds=30):
            return int(wait.total_seconds())
    return 3600


def _said(deposit: Deposit) -> dict[str, str | None]:
    return {
        "id": deposit.id,
        "userId": deposit.user_id,
        "amount": str(deposit.credited),
        "currency": "USDC",
        "provider": deposit.provider,
        "paidAmount": str(deposit.fiat),
        "paidCurrency": deposit.currency,
        "status": deposit.state,
    }
