"""Open a card deposit, or tell where to pay on chain.

A card deposit is quoted and written down, then the provider is asked for a page. On chain
there is nothing to open: an address is shown, and what reaches it becomes a deposit
(``crypto.py``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.dialects.postgresql import insert

from protonpay.cards.port import (
    CallbackRequest,
    Forged,
)
from protonpay.cards.registry import PROVIDERS, card_providers, currencies
from protonpay.chains.registry import network as named_network
from protonpay.chains.uris import payment_uri
from protonpay.deposits import ordering
from protonpay.deposits.models import Deposit, ProviderCallback
from protonpay.deposits.ordering import Destinations, Payer
from protonpay.deposits.states import DEPOSIT, behind
from protonpay.fx.service import rates
from protonpay.kernel import clock
from protonpay.kernel.errors import Invalid, NotFound
from protonpay.kernel.fiat import EXPONENTS, FiatAmount, Rate
from protonpay.kernel.money import Usdc
from protonpay.plans import service as plans
from protonpay.store import idempotency, outbox
from protonpay.store.db import db, transaction
from protonpay.store.lists import Part, newest_first
from protonpay.users import service as users
from protonpay.users.service import User
from protonpay.wallets import service as wallets

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OfferedCurrency:
    """A currency, and how many decimals an amount of it may have."""

    code: str
    decimals: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What a card provider takes here.

    Attributes:
        configured: whether it is set up; a deposit through one that is not is 503.
    """

    provider: str
    configured: bool
    currencies: Sequence[OfferedCurrency]


def offers() -> Sequence[Offer]:
    """Return every card provider there is, set up or not, in the order of the registry."""
    return [
        Offer(
            name,
            card_providers.is_set_up(name),
            [OfferedCurrency(code, EXPONENTS[code]) for code in sorted(currencies(name))],
        )
        for name in PROVIDERS
    ]


@dataclass(frozen=True, slots=True)
class CardQuote:
    """What an amount that is paid by card would bring now.

    Attributes:
        amount: USDC at the rate, of which ``commission`` is kept.
        rate: units of the currency for one USDC, ``rate_source`` who says so, and as of when.
        providers: those that are set up here and take the currency; none may be.
    """

    paid: FiatAmount
    rate: Rate
    rate_source: str
    rated_at: datetime
    amount: Usdc
    commission: Usdc
    providers: Sequence[str]

    @property
    def credited(self) -> Usdc:
        """What the user would get."""
        return self.amount - self.commission


def quote(user_id: str, *, amount: str, currency: str) -> CardQuote:
    """Say what a card deposit would bring, and by whom it can be paid; opens nothing.

    Raises:
        Invalid: a currency that nobody takes (``unsupported_currency``), not an exact amount of it
            or more than can be (``invalid_amount``), or less than a millionth of a USDC
            (``amount_too_small``).
        Unavailable: there is no fresh rate (``rate_unavailable``).
    """
    takers = [name for name in PROVIDERS if currency in currencies(name)]
    if not takers:
        raise Invalid("unsupported_currency", "No provider takes this currency.")
    fiat = _fiat(amount, currency)
    quoted = rates.quote(currency)
    worth = ordering.worth(fiat, quoted)
    return CardQuote(
        paid=fiat,
        rate=quoted.rate,
        rate_source=quoted.source,
        rated_at=quoted.as_of,
        amount=worth,
        commission=plans.terms_of(user_id).deposit_commission(worth),
        providers=[name for name in takers if card_providers.is_set_up(name)],
    )


def open_card_deposit(
    user_id: str, *, amount: str, currency: str, provider: str, to: Destinations
) -> Deposit:
    """Quote the amount, store the deposit and open a hosted payment page for it.

    The deposit stands before the provider is asked, and carries its id as the provider's
    idempotency key: an unknown answer is asked again, never guessed. Under an idempotency key
    of the client's, a later try goes on with the deposit of the first.

    Raises:
        Invalid: unknown provider, a currency it does not take, not an exact amount, or the
            provider refuses the payment.
        Conflict: the deposit of the first try has ended meanwhile (``state_conflict``), or
            another try is at work.
        Unavailable: no credentials, no fresh rate, no answer or paused
            (``provider_unavailable``); nobody was charged.
    """
    adapter = card_providers.get(provider, currency)
    fiat = _fiat(amount, currency)
    user = users.get(user_id)
    deposit = _begun_before() or _ordered(user, fiat, provider)
    if deposit.page_url is not None:
        return deposit
    return ordering.opened(adapter, deposit, Payer(user.name, user.email), to)


@dataclass(frozen=True, slots=True)
class WhereToPay:
    """An address of a user's own.

    Attributes:
        usdc: the contract or mint of the only token that is credited.
        uri: for "pay with a wallet".
    """

    network: str
    address: str
    usdc: str
    uri: str


def crypto_address(user_id: str, network: str) -> WhereToPay:
    """Return the address whose payments are this user's, taking one at the first ask.

    Raises:
        Invalid: there is no such network (``unsupported_network``).
        Unavailable: no address is free (``addresses_exhausted``).
    """
    of = named_network(network)
    with transaction():
        address = wallets.assign_on(of.name, "user", user_id)
    return WhereToPay(of.name, address, of.usdc, payment_uri(of, address))


def take_callback(
    provider: str, *, headers: Mapping[str, str], body: bytes, remote_addr: str, path: str
) -> tuple[bytes, str]:
    """Authenticate a callback, keep it, and answer; what it means is found out by a job.

    Args:
        provider: the last segment of the address that was called.
        headers: names in lower case.
        body: the exact bytes.
        remote_addr: where it came from, proxies of ours taken off.
        path: the path that was called: one provider signs it.

    Returns:
        The body to answer with, and its media type.

    Raises:
        Invalid: unknown provider, or not an authentic callback (``forged_callback``).
        Unavailable: the provider is not set up here.
    """
    adapter = card_providers.get(provider)
    try:
        callback = adapter.read_callback(CallbackRequest(headers, body, remote_addr, path))
    except Forged as forged:
        log.warning("forged_callback", provider=provider, address=remote_addr)
        raise Invalid("forged_callback", "This callback is not authentic.") from forged
    row = {
        "provider": provider,
        "event_id": callback.event_id,
        "provider_ref": callback.provider_ref,
        "body": body,
        "received_at": clock.now(),
    }
    kept = insert(ProviderCallback).values(row).on_conflict_do_nothing()
    with transaction() as session:
        if session.execute(kept.returning(ProviderCallback.id)).first() is not None:
            outbox.add(
                "deposits.card_callback", provider=provider, provider_ref=callback.provider_ref
            )
    return callback.answer, callback.answer_type


def get(user_id: str, deposit_id: str) -> Deposit:
    """Return a deposit of a user.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    deposit = db.session.get(Deposit, deposit_id)
    if deposit is None or deposit.user_id != user_id:
        raise NotFound("not_found", "There is no such deposit.")
    return deposit


def history(user_id: str, part: Part, *, status: str | None = None) -> Sequence[Deposit]:
    """Return a part of a user's deposits, newest first.

    Args:
        user_id: whose.
        part: which of them.
        status: only those a client sees so (``states.STATUSES``).
    """
    each = [Deposit.state == state for state in behind(status)]
    return newest_first(Deposit, part, Deposit.user_id == user_id, each=each)


def returned(deposit_id: str) -> str:
    """Note that the payer's browser came back, which proves nothing, and say where it stands.

    Raises:
        NotFound: there is no such deposit.
    """
    with transaction() as session:
        deposit = session.get(Deposit, deposit_id)
        if deposit is None or deposit.provider is None:
            raise NotFound("not_found", "There is no such deposit.")
        if deposit.state == DEPOSIT.initial and deposit.provider_ref:
            outbox.add(
                "deposits.card_callback",
                provider=deposit.provider,
                provider_ref=deposit.provider_ref,
            )
        return deposit.state


def _fiat(amount: str, currency: str) -> FiatAmount:
    try:
        fiat = FiatAmount.parse(amount, currency)
    except ValueError as error:
        raise Invalid("invalid_amount", "Not an exact amount of this currency.") from error
    if not fiat.minor:
        raise Invalid("invalid_amount", "Must be greater than zero.")
    return fiat


def _begun_before() -> Deposit | None:
    deposit_id = idempotency.resumed()
    return None if deposit_id is None else ordering.alive(deposit_id)


def _ordered(user: User, fiat: FiatAmount, provider: str) -> Deposit:
    ordering.check_not_paused(provider)
    return ordering.write_down(user, fiat, provider, rates.quote(fiat.currency))
