"""Pay an invoice by card: a card deposit of the invoice's owner, whose end is the payment's.

The provider's page is opened for who looks at the pay page, whoever that is. One page at a time:
while money may still come by one, whoever asks again gets the same. What the page's end means for
the invoice is decided here alone, from how the deposit stands when its job comes.
"""

import structlog
from sqlalchemy import func, select

from protonpay.deposits import invoiced
from protonpay.deposits import service as deposits
from protonpay.deposits.ordering import Destinations, Payer
from protonpay.deposits.states import CREDITED
from protonpay.fx.port import Quote
from protonpay.invoices import receiving, service
from protonpay.invoices.models import Invoice, InvoiceCard, InvoicePayment, InvoiceRefund
from protonpay.invoices.reckoning import give_back, locked, settle
from protonpay.invoices.states import CARD, CARD_ALIVE, CLOSED, REFUND
from protonpay.kernel import clock, ids
from protonpay.kernel.errors import Conflict, NotFound
from protonpay.kernel.fiat import FiatAmount
from protonpay.kernel.money import ZERO, Usdc
from protonpay.store.db import current, transaction

log = structlog.get_logger(__name__)

_BECOMES = {
    "FAILED": "DECLINED",
    "CLOSED": "DECLINED",
    "EXPIRED": "EXPIRED",
    "REVIEW": "REVIEW",
    **dict.fromkeys(CREDITED, "PAID"),
}
"""State of the deposit → of the card page; while it is PENDING nothing is known."""


def open_page(
    invoice_id: str, *, provider: str, currency: str, email: str, to: Destinations
) -> InvoiceCard:
    """Have a card provider open a page on which what is due of an invoice can be paid.

    While one is open it is returned, whatever is chosen now. One whose provider has not answered
    is asked for again, under the same reference: there never are two.

    Args:
        invoice_id: which.
        provider: of the registry.
        currency: what the card pays in.
        email: of whoever holds the card; for the provider, we do not keep it.
        to: where the browser and the provider's callback go.

    Raises:
        NotFound: there is no such invoice.
        Conflict: it cannot be paid, a card payment of it is being processed, or no page came in
            its time: then the next to ask gets another (``state_conflict``).
        Invalid: unknown provider or currency, or the provider refuses (``payment_rejected``).
        Unavailable: not set up, paused, no rate or no answer (``provider_unavailable``):
            nobody was charged.
    """
    begun = _begun(invoice_id)
    if begun is not None:
        return begun
    quoted = invoiced.quote(provider, currency)
    with transaction():
        invoice = locked(invoice_id)
        receiving.catch_up(invoice)
        card = _alive(invoice)
        if card is not None and card.state != CARD.initial:
            raise Conflict("state_conflict", "A card payment is being processed.")
        service.check_payable(invoice)
        if card is None:
            card = _order(invoice, provider, currency, quoted)
    if card.page_url is None:
        payer = Payer(email.partition("@")[0], email)
        page_url = _address(card, payer, to)
        with transaction() as session:
            card = session.get_one(InvoiceCard, card.deposit_id, populate_existing=True)
            card.page_url = page_url
    return card


def _begun(invoice_id: str) -> InvoiceCard | None:
    """Return a page that is open already, which needs neither a rate nor its provider."""
    with transaction():
        invoice = locked(invoice_id)
        card = _alive(invoice)
        if card is None or card.state != CARD.initial or card.page_url is None:
            return None
        receiving.catch_up(invoice)
        service.check_payable(invoice)
        return card


def _address(card: InvoiceCard, payer: Payer, to: Destinations) -> str | None:
    try:
        return invoiced.open_page(card.deposit_id, payer, to).page_url
    except Conflict as ended:
        # No page came in its time. Whoever asks now gets another, at the rate of now.
        follow(card.deposit_id)
        said = "This card page has ended. Try again."
        raise Conflict("state_conflict", said) from ended


def came_back(invoice_id: str, deposit_id: str) -> None:
    """Note that a payer came back from a card page, which proves nothing, and have it asked.

    From now on nobody is asked to pay this invoice until the provider has said how it ended.

    Raises:
        NotFound: there is no such page of this invoice.
    """
    with transaction():
        locked(invoice_id)
        card = _page(deposit_id)
        if card is None or card.invoice_id != invoice_id:
            raise NotFound("not_found", "There is no such invoice.")
        deposits.returned(deposit_id)
        if card.state == CARD.initial:
            _move(card, "PROCESSING")


def follow(deposit_id: str) -> None:
    """Do what follows for an invoice from how its card deposit stands now.

    May come late, twice or in any order.

    Raises:
        LookupError: the deposit is of no invoice.
    """
    with transaction():
        invoice_id = invoiced.card(deposit_id).invoice_id
        if invoice_id is None:
            raise LookupError(f"deposit {deposit_id} is of no invoice")
        invoice = locked(invoice_id)
        deposit, card = invoiced.card(deposit_id), _page(deposit_id)
        if card is None:
            raise LookupError(f"deposit {deposit_id} has no card page")
        becomes = _BECOMES.get(deposit.state, card.state)
        if becomes == "REVIEW" and _alive(invoice) not in (None, card):
            # Another page was opened when this one had ended. Should a person let it through, it
            # pays all the same.
            becomes = card.state
        if becomes != card.state and CARD.may(card.state, becomes):
            _move(card, becomes)
            if becomes == "PAID":
                _take_over(card, deposit.fiat, deposit.amount_micro)
                _credited(invoice, card)
        if card.state == "PAID" and deposit.refunded_minor:
            part = card.amount_micro.portion(deposit.refunded_micro, deposit.credited)
            _given_back(invoice, card, part)


def _order(invoice: Invoice, provider: str, currency: str, quoted: Quote) -> InvoiceCard:
    due = invoice.due
    deposit = invoiced.order(
        invoice.user_id, invoice.id, due, provider=provider, currency=currency, quoted=quoted
    )
    card = InvoiceCard(
        deposit_id=deposit.id,
        invoice_id=invoice.id,
        amount_micro=due,
        provider=provider,
        currency=currency,
        fiat_minor=deposit.fiat.minor,
        state=CARD.initial,
        created_at=clock.now(),
    )
    current().add(card)
    return card


def _take_over(card: InvoiceCard, paid: FiatAmount, brought: Usdc) -> None:
    """Let a page stand for what was really paid, where a person let that through."""
    if card.fiat != paid:
        card.fiat_minor, card.amount_micro = paid.minor, brought


def _credited(invoice: Invoice, card: InvoiceCard) -> None:
    now = clock.now()
    payment = InvoicePayment(
        id=ids.new_id(),
        invoice_id=invoice.id,
        owner_id=invoice.user_id,
        method="CARD",
        deposit_id=card.deposit_id,
        amount_micro=card.amount_micro,
        state="CREDITED",
        # In time is who began in time: banks take theirs.
        late=invoice.state in CLOSED or invoice.is_over(card.created_at),
        created_at=card.created_at,
        credited_at=now,
    )
    current().add(payment)
    settle(invoice, payment)


def _given_back(invoice: Invoice, card: InvoiceCard, total: Usdc) -> None:
    """Book what the provider has given back beyond what is booked: in all, not for each word."""
    booked = current().scalar(
        select(func.sum(InvoiceRefund.amount_micro)).where(
            InvoiceRefund.deposit_id == card.deposit_id
        )
    )
    # Its owner may have given some of it back already, by a wallet.
    left = invoice.received_micro - invoice.refunded_micro
    due = total - (booked or ZERO)
    amount = min(due, left)
    if due > left:
        # The deposit's own entry has all of it; of the invoice no more can be given back than came.
        log.error(
            "card_refund_beyond_invoice",
            invoice_id=invoice.id,
            deposit_id=card.deposit_id,
            beyond=str(due - left),
        )
    if not amount > ZERO:
        return
    row = InvoiceRefund(
        id=ids.new_id(),
        invoice_id=invoice.id,
        owner_id=invoice.user_id,
        deposit_id=card.deposit_id,
        amount_micro=amount,
        state=REFUND.initial,
        created_at=clock.now(),
    )
    current().add(row)
    current().flush()
    give_back(invoice, row)


def _alive(invoice: Invoice) -> InvoiceCard | None:
    found: InvoiceCard | None = current().scalar(
        select(InvoiceCard).where(
            InvoiceCard.invoice_id == invoice.id, InvoiceCard.state.in_(CARD_ALIVE)
        ),
        execution_options={"populate_existing": True},
    )
    return found


def _page(deposit_id: str) -> InvoiceCard | None:
    return current().get(InvoiceCard, deposit_id, populate_existing=True)


def _move(card: InvoiceCard, state: str) -> None:
    CARD.check(card.state, state)
    card.state = state
    current().flush()
