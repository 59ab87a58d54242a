"""Card deposits by which somebody pays an invoice of their user, who may be nobody of ours.

Like any card deposit they are credited on the provider's own word; who follows the invoice is
told of every change by the job ``invoices.follow_card``.
"""

from protonpay.cards.registry import card_providers
from protonpay.deposits import ordering
from protonpay.deposits.models import Deposit
from protonpay.deposits.ordering import Destinations, Payer
from protonpay.fx.port import Quote
from protonpay.fx.service import rates
from protonpay.kernel.errors import NotFound
from protonpay.kernel.money import Usdc
from protonpay.store.db import current
from protonpay.users import service as users


def quote(provider: str, currency: str) -> Quote:
    """Return the rate at which a card deposit would be ordered now. May ask a source of rates.

    Raises:
        Invalid: unknown provider, or a currency it does not take.
        Unavailable: no credentials, no fresh rate or paused (``provider_unavailable``).
    """
    card_providers.get(provider, currency)
    ordering.check_not_paused(provider)
    return rates.quote(currency)


def order(
    user_id: str, invoice_id: str, due: Usdc, *, provider: str, currency: str, quoted: Quote
) -> Deposit:
    """Write down a card deposit by which somebody pays an invoice of a user.

    In the caller's transaction. The page is asked for afterwards (``open_page``).

    Args:
        user_id: the owner of the invoice, who is credited.
        invoice_id: which.
        due: what the card must buy; the least amount of the currency that does is ordered.
        provider: one that ``quote`` took.
        currency: likewise.
        quoted: what ``quote`` said.
    """
    fiat = quoted.rate.price(due, currency)
    return ordering.write_down(users.get(user_id), fiat, provider, quoted, invoice_id)


def open_page(deposit_id: str, payer: Payer, to: Destinations) -> Deposit:
    """Ask the provider for the page of a deposit that has none yet.

    Raises:
        Conflict: it has ended meanwhile (``state_conflict``).
        Invalid: the provider refuses the payment (``payment_rejected``).
        Unavailable: no answer (``provider_unavailable``); nobody was charged, ask again.
    """
    deposit = ordering.alive(deposit_id)
    if deposit.page_url is not None:
        return deposit
    adapter = card_providers.get(deposit.provider or "", deposit.currency)
    return ordering.opened(adapter, deposit, payer, to)


def card(deposit_id: str) -> Deposit:
    """Return a card deposit as it stands, to the room of its invoice.

    Raises:
        NotFound: there is none.
    """
    deposit = current().get(Deposit, deposit_id, populate_existing=True)
    if deposit is None:
        raise NotFound("not_found", "There is no such deposit.")
    return deposit
