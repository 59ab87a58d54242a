"""Payments that are not as ordered: an operator looks, and credits or closes them."""

from collections.abc import Sequence

import structlog
from sqlalchemy import select

from protonpay.cards.port import CardPayment, CardStatus, Rejected
from protonpay.cards.registry import card_providers
from protonpay.deposits import following, refunds, settling
from protonpay.deposits.models import Deposit
from protonpay.deposits.states import DEPOSIT
from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from protonpay.kernel.money import Usdc
from protonpay.store.db import LOCK, db, release, transaction
from protonpay.wire.http import NoAnswer

log = structlog.get_logger(__name__)

_REVIEW = "REVIEW"


def waiting(limit: int = 200) -> Sequence[Deposit]:
    """Return the deposits under review, oldest first."""
    found = select(Deposit).where(Deposit.state == _REVIEW).order_by(Deposit.created_at)
    return db.session.scalars(found.limit(limit)).all()


def let_through(deposit_id: str, reason: str) -> Usdc:
    """Credit what was really paid, at the stored rate; return what the user got.

    The provider is asked again: what it says now is credited, and nobody's memory of it.

    Raises:
        NotFound: there is no such deposit.
        Conflict: it is not under review (any more).
        Invalid: the payment is not captured, is of the other mode or currency, or worth
            nothing: such a payment is given back with the provider, and closed here.
        Unavailable: the provider does not answer.
    """
    deposit = _found(deposit_id)
    payment = _asked(deposit)
    _check_creditable(deposit, payment)
    with transaction() as session:
        deposit = _locked(deposit_id)
        deposit.fiat_minor = payment.amount.minor
        amount, commission = _worth(deposit, payment)
        deposit.amount_micro, deposit.commission_micro = amount, commission
        settling.credit(deposit, payment.provider_ref)
        deposit.reason = f"let through: {reason}"
        session.flush()
    log.warning("deposit_let_through", deposit_id=deposit_id, reason=reason)
    if payment.refunded.minor:
        refunds.book(deposit_id, payment)
    return deposit.credited


def close(deposit_id: str, reason: str) -> None:
    """End a deposit without a credit, for good; giving back is done with the provider.

    Raises:
        NotFound: there is no such deposit.
        Conflict: it is not under review (any more).
    """
    _found(deposit_id)
    with transaction():
        deposit = _locked(deposit_id)
        DEPOSIT.check(deposit.state, "CLOSED")
        deposit.state, deposit.reason = "CLOSED", f"closed: {reason}"
        deposit.ended_at = clock.now()
        following.changed(deposit)
    log.warning("deposit_closed", deposit_id=deposit_id, reason=reason)


def _found(deposit_id: str) -> Deposit:
    deposit = db.session.get(Deposit, deposit_id, populate_existing=True)
    release()
    if deposit is None:
        raise NotFound("not_found", "There is no such deposit.")
    _check_state(deposit)
    return deposit


def _locked(deposit_id: str) -> Deposit:
    deposit = db.session.get_one(Deposit, deposit_id, with_for_update=LOCK, populate_existing=True)
    _check_state(deposit)
    return deposit


def _check_state(deposit: Deposit) -> None:
    if deposit.state != _REVIEW:
        raise Conflict("state_conflict", "This deposit is not under review.")


def _asked(deposit: Deposit) -> CardPayment:
    # Another payment than the one the page was opened for may have been made for this order.
    reference = settling.decisive(deposit) or ""
    try:
        return card_providers.get(deposit.provider or "").fetch_payment(reference)
    except NoAnswer as unknown:
        said = "The payment provider does not answer. Try again."
        raise Unavailable("provider_unavailable", said) from unknown
    except Rejected as rejected:
        refusal = "The payment provider refuses: {reason}."
        raise Invalid("payment_rejected", refusal, reason=rejected.reason) from rejected


def _check_creditable(deposit: Deposit, payment: CardPayment) -> None:
    wrong = {
        "not captured": payment.status is not CardStatus.CAPTURED,
        "of another order": payment.reference != deposit.id,
        "of the other mode": payment.live != card_providers.live,
        "in another currency": payment.amount.currency != deposit.currency,
    }
    for what, is_so in wrong.items():
        if is_so:
            raise Invalid("payment_not_creditable", "The payment is {what}.", what=what)
    if not deposit.shares(payment.amount)[0]:
        raise Invalid("payment_not_creditable", "The payment is worth nothing.")


def _worth(deposit: Deposit, payment: CardPayment) -> tuple[Usdc, Usdc]:
    net, commission = deposit.shares(payment.amount)
    return net + commission, commission
