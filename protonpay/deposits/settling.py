"""Credit a card deposit once, on the provider's own word only.

A callback, a returning browser and the clock all end here: the provider is asked, what it
says is compared with what was ordered, and one transaction moves state, money and event.
"""

from collections.abc import Mapping
from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from protonpay.cards.port import CardPayment, CardStatus, Rejected
from protonpay.cards.registry import card_providers
from protonpay.deposits import following, refunds
from protonpay.deposits.models import Deposit
from protonpay.deposits.schedule import LOOKS
from protonpay.deposits.states import CREDITED, DEPOSIT
from protonpay.kernel import clock, events
from protonpay.ledger import entries
from protonpay.ledger import service as ledger
from protonpay.store.db import LOCK, db, release, transaction
from protonpay.store.events import publish
from protonpay.store.jobs import Later
from protonpay.wire.http import NoAnswer

log = structlog.get_logger(__name__)

_ENDS = {
    CardStatus.FAILED: "FAILED",
    CardStatus.CANCELED: "FAILED",
    CardStatus.EXPIRED: "EXPIRED",
}

Differences = Mapping[str, tuple[str | None, str | None]]
"""What is not as ordered → (as ordered, as the provider says)."""


def ask_about(provider: str, provider_ref: str) -> Later | None:
    """Ask the provider about one payment and do what follows from its answer."""
    asked = _ask(provider, provider_ref)
    return asked if isinstance(asked, Later) else None


def check(deposit_id: str) -> Later | None:
    """Look at a deposit because its time has come, until its state wants no more looks."""
    deposit = _as_it_is(deposit_id)
    if deposit is None or deposit.state not in LOOKS:
        return None
    said = None
    # Without a provider's reference the answer to our request for a page never came: nobody
    # was shown one, and there is nothing to ask about.
    if deposit.provider and deposit.provider_ref:
        asked = _ask(deposit.provider, deposit.provider_ref)
        if isinstance(asked, Later):
            return asked
        said = asked
    until = LOOKS[deposit.state].until
    if until is not None and clock.now() - deposit.created_at > until:
        _give_up(deposit_id, said)
    return _next_look(deposit_id)


def apply(provider: str, payment: CardPayment) -> None:
    """Move the deposit a payment belongs to, at most once to each end, and book its refunds."""
    deposit_id = _settle(provider, payment)
    if deposit_id is not None and payment.refunded.minor:
        # In a transaction of its own: a refund waits for credits of the same user.
        refunds.book(deposit_id, payment)


def credit(deposit: Deposit, provider_ref: str) -> None:
    """Credit a deposit as it stands, in the caller's transaction, which holds its row."""
    DEPOSIT.check(deposit.state, "CONFIRMED")
    deposit.state, deposit.reason, deposit.ended_at = "CONFIRMED", None, clock.now()
    deposit.provider_ref, deposit.differences = provider_ref, None
    entry = entries.card_credit(
        deposit.id,
        deposit.provider or "",
        deposit.user_id,
        deposit.credited,
        deposit.commission_micro,
    )
    ledger.post(entry)
    publish(events.DEPOSIT_CARD_SUCCESS, deposit.user_id, _said(deposit))
    following.changed(deposit)


def differences(deposit: Deposit, payment: CardPayment) -> Differences:
    """Compare a payment with what was ordered; nothing different is an empty answer."""
    pairs = {
        "amount": (_money(deposit), f"{payment.amount} {payment.amount.currency}"),
        "payment": (deposit.provider_ref or payment.provider_ref, payment.provider_ref),
        "reference": (deposit.id, payment.reference),
        "mode": (_mode(live=card_providers.live), _mode(live=payment.live)),
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def decisive(deposit: Deposit) -> str | None:
    """Return the payment that a deposit's end depends on: its own, or the one under review."""
    _, reviewed = (deposit.differences or {}).get("payment", (None, deposit.provider_ref))
    return reviewed


def _ask(provider: str, provider_ref: str) -> CardPayment | Later:
    try:
        payment = card_providers.get(provider).fetch_payment(provider_ref)
    except NoAnswer as unknown:
        return Later(10, repr(unknown))
    except Rejected as rejected:
        log.exception("payment_not_readable", provider=provider)
        return Later(300, rejected.reason)
    if payment.status not in (CardStatus.PENDING, CardStatus.UNRESOLVED) or payment.refunded.minor:
        apply(provider, payment)
    return payment


def _settle(provider: str, payment: CardPayment) -> str | None:
    """Do what a payment's status says; return the deposit's id, if there is one."""
    with transaction() as session:
        deposit = _ordered(session, provider, payment)
        if deposit is None:
            log.error("payment_of_nobody", provider=provider, provider_ref=payment.provider_ref)
            return None
        if payment.status is CardStatus.CAPTURED:
            _captured(deposit, payment)
        elif _is_its(deposit, payment) and DEPOSIT.may(
            deposit.state, _ENDS.get(payment.status, "")
        ):
            deposit.state = _ENDS[payment.status]
            deposit.reason, deposit.ended_at = payment.reason, clock.now()
            deposit.differences = None
            following.changed(deposit)
        return deposit.id


def _ordered(session: Session, provider: str, payment: CardPayment) -> Deposit | None:
    """Lock the deposit that a payment was opened for, or else the one that it names."""
    ours = select(Deposit).where(Deposit.provider == provider).with_for_update(**LOCK)
    # What we were answered when we ordered is ours to know; the reference is what they say.
    for which in (Deposit.provider_ref == payment.provider_ref, Deposit.id == payment.reference):
        found = session.scalar(ours.where(which), execution_options={"populate_existing": True})
        if found is not None:
            return found
    return None


def _is_its(deposit: Deposit, payment: CardPayment) -> bool:
    # How another payment of the same order ended says nothing about this one; and it may be
    # another that is under review.
    return decisive(deposit) in (None, payment.provider_ref)


def _captured(deposit: Deposit, payment: CardPayment) -> None:
    if deposit.state in CREDITED:
        if deposit.provider_ref != payment.provider_ref:
            log.error("charged_twice", deposit_id=deposit.id, provider_ref=payment.provider_ref)
        return
    wrong = differences(deposit, payment)
    if wrong:
        _review(deposit, wrong)
    elif DEPOSIT.may(deposit.state, "CONFIRMED"):
        other = decisive(deposit)
        if other not in (None, payment.provider_ref):
            # It was under review, and no review will be left of it.
            log.error("charged_twice", deposit_id=deposit.id, provider_ref=other)
        credit(deposit, payment.provider_ref)
    else:
        # Closed by an operator, and now it is as ordered: not ours to undo.
        log.error("captured_after_closing", deposit_id=deposit.id)


def _review(deposit: Deposit, wrong: Differences) -> None:
    log.error("payment_differs", deposit_id=deposit.id, differences=wrong)
    if DEPOSIT.may(deposit.state, "REVIEW"):
        deposit.state, deposit.reason = "REVIEW", f"differs: {', '.join(wrong)}"
        deposit.differences = {name: list(pair) for name, pair in wrong.items()}
        following.changed(deposit)


def _give_up(deposit_id: str, said: CardPayment | None) -> None:
    with transaction() as session:
        deposit = session.get_one(Deposit, deposit_id, with_for_update=LOCK, populate_existing=True)
        if deposit.state != DEPOSIT.initial:
            return
        if said is not None and said.status is CardStatus.UNRESOLVED:
            # The provider itself does not know: that is no end, and not ours to guess.
            _review(deposit, {"status": (None, said.status.value)})
            return
        deposit.state, deposit.reason, deposit.ended_at = "EXPIRED", "not paid", clock.now()
        following.changed(deposit)


def _next_look(deposit_id: str) -> Later | None:
    deposit = _as_it_is(deposit_id)
    looks = LOOKS.get(deposit.state) if deposit else None
    if deposit is None or looks is None or _nothing_to_ask(deposit):
        return None
    credited_at = deposit.ended_at if deposit.state in CREDITED else None
    wait = looks.next(clock.now() - (credited_at or deposit.created_at))
    return None if wait is None else Later(_seconds(wait), f"a look at {deposit.state}")


def _nothing_to_ask(deposit: Deposit) -> bool:
    return deposit.state != DEPOSIT.initial and not deposit.provider_ref


def _as_it_is(deposit_id: str) -> Deposit | None:
    deposit = db.session.get(Deposit, deposit_id, populate_existing=True)
    release()
    return deposit


def _seconds(wait: timedelta) -> int:
    return int(wait.total_seconds())


def _money(deposit: Deposit) -> str:
    return f"{deposit.fiat} {deposit.currency}"


def _mode(*, live: bool) -> str:
    return "live" if live else "test"


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
