"""Write a card deposit down and have its provider open a page for it."""

import threading
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from protonpay.cards.port import CardProvider, CardSession, KeyRefused, Rejected, SessionRequest
from protonpay.deposits import following
from protonpay.deposits.models import Deposit
from protonpay.deposits.schedule import FIRST_LOOK_SECONDS
from protonpay.deposits.states import DEPOSIT
from protonpay.fx.port import Quote
from protonpay.kernel import clock, ids
from protonpay.kernel.errors import Conflict, Invalid, Unavailable
from protonpay.kernel.fiat import FiatAmount
from protonpay.kernel.money import MAX_MICRO, Usdc
from protonpay.plans import service as plans
from protonpay.rails import service as rails
from protonpay.store import idempotency, outbox
from protonpay.store.db import LOCK, current, transaction
from protonpay.users.service import User
from protonpay.wire.http import NoAnswer

log = structlog.get_logger(__name__)

_RATE_LASTS = timedelta(minutes=30)
"""For so long a page is opened at the rate of its order: nobody waits at it for a better one."""

_asking = threading.BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Destinations:
    """Where the payer's browser and the provider's callback go; ``{id}`` is the deposit's."""

    return_url: str
    callback_url: str


@dataclass(frozen=True, slots=True)
class Payer:
    """Whom a provider is told it deals with: the holder of the card."""

    name: str
    email: str


def check_not_paused(provider: str) -> None:
    """Refuse while operators have paused a provider.

    Raises:
        Unavailable: they have (``provider_unavailable``).
    """
    if rails.paused(provider):
        said = "The payment provider is paused here. Try again later."
        raise Unavailable("provider_unavailable", said, retry_after=60)


def worth(fiat: FiatAmount, quoted: Quote) -> Usdc:
    """Return what an amount is at a rate.

    Raises:
        Invalid: less than a millionth of a USDC (``amount_too_small``), or more than the book
            can hold (``invalid_amount``).
    """
    amount = quoted.rate.to_usdc(fiat)
    # The price of a bill may be as large as no card's amount.
    if max(amount.micro, fiat.minor) > MAX_MICRO:
        raise Invalid("invalid_amount", "This is more USDC than there can be.")
    if not amount:
        raise Invalid("amount_too_small", "This is less than a millionth of a USDC.")
    return amount


def write_down(
    user: User, fiat: FiatAmount, provider: str, quoted: Quote, invoice_id: str | None = None
) -> Deposit:
    """Write a deposit down; from now on it is looked after, whether or not there is a page.

    Raises:
        Invalid: too little or too much, as ``worth``.
    """
    amount = worth(fiat, quoted)
    deposit = Deposit(
        id=ids.new_id(),
        user_id=user.id,
        method="CARD",
        provider=provider,
        currency=fiat.currency,
        fiat_minor=fiat.minor,
        rate_scaled=quoted.rate.scaled,
        rate_source=quoted.source,
        rated_at=quoted.as_of,
        amount_micro=amount,
        commission_micro=plans.terms(user.plan).deposit_commission(amount),
        state=DEPOSIT.initial,
        created_at=clock.now(),
        invoice_id=invoice_id,
    )
    with transaction() as session:
        idempotency.begin(deposit.id)
        session.add(deposit)
        # The net below every callback: this row stays due as long as ``schedule`` wants looks.
        outbox.add("deposits.card_check", delay_seconds=FIRST_LOOK_SECONDS, deposit_id=deposit.id)
    return deposit


def opened(adapter: CardProvider, deposit: Deposit, payer: Payer, to: Destinations) -> Deposit:
    """Have the page opened, and keep its address.

    Of two who ask at once both get the page that was there first: a shop that makes a payment
    for each must not have two pages in use.

    Raises:
        Invalid: the provider refuses the payment (``payment_rejected``).
        Unavailable: no answer, or it refuses our key (``provider_unavailable``).
    """
    session = _session(adapter, deposit, _session_request(deposit, payer, to))
    with transaction() as open_session:
        idempotency.advance()
        deposit = _locked(open_session, deposit.id)
        if deposit.page_url is None:
            deposit.provider_ref, deposit.page_url = session.provider_ref, session.url
    return deposit


def alive(deposit_id: str) -> Deposit:
    """Return a deposit that has a page or may still get one.

    Raises:
        Conflict: it has ended without one, or does so now, as its rate is of long ago
            (``state_conflict``).
    """
    # In a transaction of its own, so that no connection is held while the provider is asked.
    with transaction() as session:
        deposit = _locked(session, deposit_id)
        waits = deposit.page_url is None and deposit.state == DEPOSIT.initial
        if waits and clock.now() - deposit.created_at > _RATE_LASTS:
            _end(deposit, "EXPIRED", "no page")
    if deposit.page_url is None and deposit.state != DEPOSIT.initial:
        said = "This deposit has ended without a page. Use another Idempotency-Key."
        raise Conflict("state_conflict", said)
    return deposit


def _session(adapter: CardProvider, deposit: Deposit, request: SessionRequest) -> CardSession:
    try:
        return _ask_for_page(adapter, request)
    except NoAnswer as unknown:
        log.warning("session_unknown", deposit_id=deposit.id, error=repr(unknown))
        said = "The payment provider does not answer. Try again."
        raise Unavailable("provider_unavailable", said, retry_after=5) from unknown
    except Rejected as rejected:
        _reject(deposit.id, rejected.reason)
        if isinstance(rejected, KeyRefused):
            said = "The payment provider is not set up correctly here."
            raise Unavailable("provider_unavailable", said) from rejected
        said = "The payment provider does not take this payment."
        raise Invalid("payment_rejected", said) from rejected


def _session_request(deposit: Deposit, payer: Payer, to: Destinations) -> SessionRequest:
    return SessionRequest(
        reference=deposit.id,
        amount=deposit.fiat,
        description=f"Proton Pay deposit {deposit.id}",
        customer_name=payer.name,
        customer_email=payer.email,
        return_url=to.return_url.format(id=deposit.id),
        callback_url=to.callback_url,
    )


def _ask_for_page(adapter: CardProvider, request: SessionRequest) -> CardSession:
    # A provider that hangs may hold two threads of this process, never all of them.
    if not _asking.acquire(blocking=False):
        raise NoAnswer("too many wait for this provider")
    try:
        return adapter.create_session(request)
    finally:
        _asking.release()


def _reject(deposit_id: str, reason: str) -> None:
    log.warning("session_rejected", deposit_id=deposit_id, reason=reason)
    with transaction():
        # First, so that whoever was overtaken changes nothing.
        idempotency.unbind()
        deposit = _locked(current(), deposit_id)
        # Nothing came of this try, so the key may be used again.
        deposit.idempotency_key = None
        if deposit.state == DEPOSIT.initial and deposit.page_url is None:
            _end(deposit, "FAILED", reason)


def _end(deposit: Deposit, state: str, reason: str) -> None:
    DEPOSIT.check(deposit.state, state)
    deposit.state, deposit.reason, deposit.ended_at = state, reason, clock.now()
    following.changed(deposit)


def _locked(session: Session, deposit_id: str) -> Deposit:
    """Return a deposit as it is after the provider was waited for: not as it was before."""
    return session.get_one(Deposit, deposit_id, with_for_update=LOCK, populate_existing=True)
