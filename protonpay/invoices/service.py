"""Ask for money, pay from a balance, take the request back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeVar

import structlog
from sqlalchemy import func, select

from protonpay.invoices import addresses, receiving
from protonpay.invoices.models import (
    Invoice,
    InvoiceCard,
    InvoiceClaim,
    InvoiceLetter,
    InvoiceLookup,
    InvoicePayment,
    InvoiceRefund,
)
from protonpay.invoices.reckoning import CURRENCY, locked, move, settle, tell
from protonpay.invoices.states import INVOICE
from protonpay.kernel import clock, events, ids
from protonpay.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from protonpay.kernel.fiat import FiatAmount
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import chart, entries
from protonpay.ledger import service as ledger
from protonpay.store import outbox
from protonpay.store.db import db, transaction
from protonpay.store.lists import Part, newest_first
from protonpay.users import service as users
from protonpay.wallets import service as wallets

log = structlog.get_logger(__name__)
Of = TypeVar("Of", InvoicePayment, InvoiceRefund, InvoiceClaim, InvoiceLetter, InvoiceLookup)

SHORTEST_SECONDS, LONGEST_SECONDS = 60, 90 * 86_400
DEFAULT_SECONDS = 86_400
ACTIVE = "ACTIVE"
_ENDED_AT_ONCE = 100
EXTENSIONS = 10
"""How often a payer may have more time (WCAG 2.2.1: at least ten times)."""
_EXTENSION_SECONDS = 3600
"""How much at a time, at most: no more than the invoice was made for."""


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody asks for.

    Attributes:
        description: what for, as the payer reads it.
        expires_in_seconds: how long it can be paid.
        tolerance: it counts as paid if at most so much is missing.
        accept_late: what comes after the end may pay it too.
        redirect_url: where the payer goes back to; ``embed_origin``: whose frames may hold the
            pay page.
        extendable: its payer may have more time, a few times.
        rest_of: an invoice of the same owner, of which a part was paid; its page leads to this one.
        attached: texts by their names, for the owner's own programs.
    """

    amount: Usdc
    currency: str = CURRENCY
    description: str | None = None
    expires_in_seconds: int = DEFAULT_SECONDS
    tolerance: Usdc = ZERO
    accept_late: bool = False
    redirect_url: str | None = None
    embed_origin: str | None = None
    extendable: bool = True
    rest_of: str | None = None
    attached: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment from a balance, and what its payer has left."""

    invoice: Invoice
    payment: InvoicePayment
    new_balance: Usdc


@dataclass(frozen=True, slots=True)
class Whole:
    """An invoice with all that was paid for it and given back of it, oldest first.

    Attributes:
        claims: what its payer asked back; ``lookups``: the transactions they named.
        card: the card page that was opened last, if any.
        letters: by which it was sent to who shall pay it; for its owner alone.
    """

    invoice: Invoice
    payments: Sequence[InvoicePayment]
    refunds: Sequence[InvoiceRefund]
    claims: Sequence[InvoiceClaim]
    lookups: Sequence[InvoiceLookup]
    card: InvoiceCard | None = None
    letters: Sequence[InvoiceLetter] = ()


def create(user_id: str, order: Order) -> Invoice:
    """Make an invoice, with an address per family of networks if the pool has some.

    Raises:
        Invalid: another currency (``unsupported_currency``), or a tolerance that is no smaller
            than the amount (``validation_error``); an address of another form
            (``invalid_url``); no such invoice of the same owner (``unknown_invoice``).
        Forbidden: the account is suspended (``account_suspended``).
    """
    if order.currency != CURRENCY:
        raise Invalid("unsupported_currency", "Invoices are in USDC.")
    if not order.tolerance < order.amount:
        said = "The tolerance must be smaller than the amount."
        raise Invalid("validation_error", said, fields={"json": {"tolerance": [said]}})
    redirect_url = addresses.redirect(order.redirect_url)
    embed_origin = addresses.origin(order.embed_origin)
    now, lasts = clock.now(), order.expires_in_seconds
    with transaction() as session:
        check_may_act(user_id)
        if order.rest_of is not None and owner(order.rest_of) != user_id:
            raise Invalid("unknown_invoice", "There is no such invoice.")
        invoice = Invoice(
            id=ids.new_id(),
            user_id=user_id,
            amount_micro=order.amount,
            tolerance_micro=order.tolerance,
            accept_late=order.accept_late,
            description=order.description,
            redirect_url=redirect_url,
            embed_origin=embed_origin,
            rest_of_id=order.rest_of,
            attached=order.attached,
            extensions_left=EXTENSIONS if order.extendable else 0,
            state=INVOICE.initial,
            created_at=now,
            expires_at=now + timedelta(seconds=lasts),
        )
        session.add(invoice)
        session.flush()
        outbox.add("invoices.expire", delay_seconds=lasts + 1, invoice_id=invoice.id)
        claim_addresses(invoice.id)
    return invoice


def claim_addresses(invoice_id: str) -> None:
    """Give an invoice its addresses, in the caller's transaction; while there are none, later.

    Raises:
        Unavailable: the database holds one that the keyring did not make (``address_not_ours``).
    """
    try:
        wallets.assign(receiving.HOLDER, invoice_id)
    except Unavailable as lacking:
        # It can be paid from a balance; its page asks again whenever it is looked at.
        if lacking.code != "addresses_exhausted":
            raise
        log.warning("invoice_without_address", invoice_id=invoice_id)


def get(user_id: str, invoice_id: str) -> Whole:
    """Return an invoice of a user.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    invoice = _now(_of(user_id, invoice_id))
    return replace(whole(invoice), letters=_rows(InvoiceLetter, invoice))


def find(invoice_id: str) -> Whole:
    """Return an invoice to whoever knows its id: the payer.

    Raises:
        NotFound: there is none.
    """
    found = db.session.get(Invoice, invoice_id, populate_existing=True)
    if found is None:
        raise NotFound("not_found", "There is no such invoice.")
    return whole(_now(found))


def history(user_id: str, part: Part, *, status: str | None = None) -> Sequence[Invoice]:
    """Return a part of a user's invoices, newest first.

    Args:
        user_id: whose.
        part: which of them.
        status: only those in this state.
    """
    ended = select(Invoice.id).where(
        Invoice.user_id == user_id,
        Invoice.state == "PENDING",
        Invoice.is_over(clock.now()),
    )
    for invoice_id in db.session.scalars(ended.limit(_ENDED_AT_ONCE)).all():
        receiving.expire(invoice_id)
    each = [Invoice.state == status] if status else []
    return newest_first(Invoice, part, Invoice.user_id == user_id, *each)


def counts(user_id: str) -> Mapping[str, int]:
    """Count a user's invoices by their state; those that there are none of are left out."""
    by_state = select(Invoice.state, func.count()).where(Invoice.user_id == user_id)
    rows = db.session.execute(by_state.group_by(Invoice.state))
    return {state: count for state, count in rows}  # noqa: C416 - a row is no pair to mypy


def owner(invoice_id: str) -> str | None:
    """Return whose an invoice is; None if there is none."""
    return db.session.scalar(select(Invoice.user_id).filter_by(id=invoice_id))


def pay(payer_id: str, invoice_id: str) -> Paid:
    """Pay what is due from the payer's balance, at once.

    Raises:
        NotFound: there is no such invoice.
        Conflict: one's own (``own_invoice``), or it cannot be paid now (``state_conflict``).
        Invalid: more than there is (``insufficient_balance``).
        Forbidden: the payer's account is suspended or frozen (``account_suspended``,
            ``withdrawals_frozen``).
    """
    with transaction() as session:
        users.check_may_spend(users.get(payer_id))
        invoice = locked(invoice_id)
        if invoice.user_id == payer_id:
            raise Conflict("own_invoice", "This invoice is your own.")
        # What has come on chain may be credited first, and repay a debt of its owner's.
        ledger.line_up(chart.available(payer_id), chart.available(invoice.user_id))
        receiving.catch_up(invoice)
        check_payable(invoice)
        now = clock.now()
        payment = InvoicePayment(
            id=ids.new_id(),
            invoice_id=invoice.id,
            owner_id=invoice.user_id,
            method="BALANCE",
            payer_id=payer_id,
            amount_micro=invoice.due,
            state="CREDITED",
            late=False,
            created_at=now,
            credited_at=now,
        )
        session.add(payment)
        entry = entries.invoice_payment(payment.id, payer_id, invoice.user_id, payment.amount_micro)
        settle(invoice, payment)
        posted = ledger.post(entry)
    return Paid(invoice, payment, posted.balances[0])


def cancel(user_id: str, invoice_id: str) -> Invoice:
    """Take an invoice back; what was paid of it stays credited and can be refunded.

    Raises:
        NotFound: there is none, or it is somebody else's.
        Conflict: a payment is on its way, or it has ended already (``state_conflict``).
    """
    with transaction():
        _of(user_id, invoice_id)
        invoice = locked(invoice_id)
        receiving.catch_up(invoice)
        check_open(invoice)
        move(invoice, "CANCELLED")
        tell(events.INVOICE_CANCELLED, invoice)
    return invoice


def extend(invoice_id: str) -> Invoice:
    """Give the payer of an invoice more time, once it is about to run out.

    Raises:
        NotFound: there is none.
        Conflict: it cannot be paid any more, its owner does not give more time, all of it was
            given, or enough is left (``state_conflict``).
    """
    with transaction():
        invoice = locked(invoice_id)
        receiving.catch_up(invoice)
        check_open(invoice)
        if not may_extend(invoice):
            raise Conflict("state_conflict", "There is no more time for this invoice now.")
        invoice.expires_at += _extension(invoice)
        invoice.extensions_left -= 1
    return invoice


def may_extend(invoice: Invoice) -> bool:
    """Tell whether the payer of an invoice may have more time now."""
    soon = invoice.expires_at - clock.now() < _extension(invoice)
    return invoice.state == "PENDING" and invoice.extensions_left > 0 and soon


def _extension(invoice: Invoice) -> timedelta:
    """Return by how much an invoice is extended at a time: at most by what it was made for."""
    times = EXTENSIONS - invoice.extensions_left
    # Exact where it was made for less than the most; above the most where it was made for more.
    made_for = (invoice.expires_at - invoice.created_at) // (times + 1)
    return min(timedelta(seconds=_EXTENSION_SECONDS), made_for)


def check_payable(invoice: Invoice) -> None:
    """Refuse a locked invoice, known up to now, that cannot be paid from inside or by card.

    Raises:
        Conflict: so it is (``state_conflict``).
    """
    check_open(invoice)
    if users.get(invoice.user_id).standing != ACTIVE:
        raise Conflict("state_conflict", "This invoice cannot be paid now.")


def check_may_act(user_id: str) -> None:
    """Refuse a suspended account.

    Raises:
        Forbidden: it is (``account_suspended``).
    """
    if users.get(user_id).standing != ACTIVE:
        raise Forbidden("account_suspended", "This account is suspended.")


def whole(invoice: Invoice) -> Whole:
    """Return an invoice with its payments and refunds."""
    pages = select(InvoiceCard).where(InvoiceCard.invoice_id == invoice.id)
    newest = pages.order_by(InvoiceCard.created_at.desc(), InvoiceCard.deposit_id.desc()).limit(1)
    return Whole(
        invoice,
        _rows(InvoicePayment, invoice),
        _rows(InvoiceRefund, invoice),
        _rows(InvoiceClaim, invoice),
        _rows(InvoiceLookup, invoice),
        card=db.session.scalar(newest, execution_options={"populate_existing": True}),
    )


def card_prices(found: Whole) -> Mapping[str, FiatAmount]:
    """Return what each card that paid an invoice was asked for, by its deposit."""
    paid = [one.deposit_id for one in found.payments if one.deposit_id is not None]
    if not paid:
        return {}
    pages = db.session.scalars(select(InvoiceCard).where(InvoiceCard.deposit_id.in_(paid)))
    return {page.deposit_id: page.fiat for page in pages}


def _rows(model: type[Of], invoice: Invoice) -> Sequence[Of]:
    """Return what belongs to an invoice, oldest first."""
    mine = select(model).where(model.invoice_id == invoice.id)
    oldest_first = mine.order_by(model.created_at, model.id)
    return db.session.scalars(oldest_first, execution_options={"populate_existing": True}).all()


def _of(user_id: str, invoice_id: str) -> Invoice:
    found = db.session.get(Invoice, invoice_id, populate_existing=True)
    if found is None or found.user_id != user_id:
        raise NotFound("not_found", "There is no such invoice.")
    return found


def _now(invoice: Invoice) -> Invoice:
    """Return the invoice as it is now: the job that ends it may come late."""
    if invoice.state == "PENDING" and invoice.is_over(clock.now()):
        receiving.expire(invoice.id)
    return invoice


def check_open(invoice: Invoice) -> None:
    """Refuse a locked invoice, known up to now, that its payer is not waited for any more.

    Raises:
        Conflict: so it is (``state_conflict``).
    """
    match invoice.state:
        case "PENDING":
            return
        case "CONFIRMING":
            raise Conflict("state_conflict", "A payment on chain is being confirmed.")
        case "PAID":
            raise Conflict("state_conflict", "This invoice is paid.")
        case "EXPIRED":
            raise Conflict("state_conflict", "This invoice has expired.")
        case "CANCELLED":
            raise Conflict("state_conflict", "This invoice is cancelled.")
        case _:
            said = "What was paid for this invoice was given back."
            raise Conflict("state_conflict", said)
