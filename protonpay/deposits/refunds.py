"""Take back what a provider gave back: refunds and chargebacks of a credited deposit.

A provider says how much was given back in all. What that is beyond what is booked is an entry
of its own, at the rate the deposit was credited at. It comes out of what the user has; the rest
becomes their debt, which whatever comes in next repays first.
"""

import structlog

from protonpay.cards.port import CardPayment
from protonpay.deposits import following
from protonpay.deposits.models import Deposit
from protonpay.deposits.states import CREDITED, DEPOSIT
from protonpay.kernel import events
from protonpay.kernel.fiat import FiatAmount
from protonpay.kernel.money import Usdc
from protonpay.ledger import chart, entries
from protonpay.ledger import service as ledger
from protonpay.ledger.entries import Refund
from protonpay.store.db import LOCK, transaction
from protonpay.store.events import publish

log = structlog.get_logger(__name__)


def book(deposit_id: str, payment: CardPayment) -> None:
    """Book what a provider gave back of a deposit and is not booked yet; a repeat does nothing."""
    with transaction() as session:
        deposit = session.get_one(Deposit, deposit_id, with_for_update=LOCK, populate_existing=True)
        if deposit.state not in CREDITED or deposit.provider_ref != payment.provider_ref:
            return
        total = _total(deposit, payment)
        if total.minor > deposit.refunded_minor:
            _book(deposit, total)


def _total(deposit: Deposit, payment: CardPayment) -> FiatAmount:
    said = payment.refunded
    if said.currency != deposit.currency:
        log.error("refund_in_another_currency", deposit_id=deposit.id, refunded=str(said))
        return deposit.refunded
    if said.minor < deposit.refunded_minor:
        # Given back to us, it would be another deposit: a person looks at what it was.
        log.error("refund_taken_back", deposit_id=deposit.id, refunded=str(said))
    if said.minor > deposit.fiat.minor:
        # A refund and a chargeback of the same money: what is beyond it is not the user's.
        log.error("refunded_more_than_paid", deposit_id=deposit.id, refunded=str(said))
        return deposit.fiat
    return said


def _book(deposit: Deposit, total: FiatAmount) -> None:
    amount, commission = deposit.shares(total)
    _, booked_commission = deposit.shares(deposit.refunded)
    refund = Refund(
        amount=amount - deposit.refunded_micro,
        commission=commission - booked_commission,
        until=total.minor,
    )
    deposit.refunded_minor, deposit.refunded_micro = total.minor, amount
    state = "REFUNDED" if total == deposit.fiat else "PARTIALLY_REFUNDED"
    if deposit.state != state:
        DEPOSIT.check(deposit.state, state)
        deposit.state = state
    following.changed(deposit)
    # The user's row before the ledger's: that is everybody's order.
    publish(events.DEPOSIT_CARD_REFUNDED, deposit.user_id, _said(deposit, refund.amount))
    if refund.amount or refund.commission:
        _post(deposit, refund)


def _post(deposit: Deposit, refund: Refund) -> None:
    there = ledger.claim(chart.available(deposit.user_id))
    if there < refund.amount:
        ledger.open_accounts(chart.of_debtor(deposit.user_id))
    entry = entries.card_refund(
        deposit.id, deposit.provider or "", deposit.user_id, refund, there=there
    )
    ledger.post(entry)
    log.warning(
        "deposit_refunded",
        deposit_id=deposit.id,
        amount=str(refund.amount),
        owed=str(ledger.owed(deposit.user_id)),
    )


def _said(deposit: Deposit, amount: Usdc) -> dict[str, str | None]:
    return {
        "id": deposit.id,
        "userId": deposit.user_id,
        "amount": str(amount),
        "refundedAmount": str(deposit.refunded_micro),
        "currency": "USDC",
        "provider": deposit.provider,
        "paidAmount": str(deposit.fiat),
        "paidRefunded": str(deposit.refunded),
        "paidCurrency": deposit.currency,
        "status": deposit.state,
    }
