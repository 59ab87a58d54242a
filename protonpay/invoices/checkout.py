"""What the payer of an invoice is shown: who asks for how much, where to pay, what has come."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from protonpay.chains.registry import NETWORKS
from protonpay.chains.uris import payment_uri
from protonpay.invoices import receiving, rests, service
from protonpay.invoices.models import (
    Invoice,
    InvoiceCard,
    InvoiceClaim,
    InvoiceLookup,
    InvoicePayment,
    InvoiceRefund,
)
from protonpay.invoices.reckoning import claimable
from protonpay.invoices.states import CARD_COMING, CLAIM, LOOKUP_OPEN, LOOKUP_TRIES, OPEN, PAYMENT
from protonpay.kernel import clock
from protonpay.kernel.fiat import FiatAmount
from protonpay.kernel.money import ZERO, Usdc
from protonpay.store.db import transaction
from protonpay.users import service as users
from protonpay.wallets import progress
from protonpay.wallets import service as wallets
from protonpay.wallets.progress import Confirmations

_SLOW = timedelta(minutes=30)
"""No network takes so long to be final on an ordinary day (docs/chains.md)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to pay on one network.

    Attributes:
        token: the contract or mint of USDC there.
        uri: opens a wallet, with the amount filled in.
        code: what its QR code holds. On EVM networks the bare address: wallets read the
            link of a token in different ways, and some would send the network's own coin.
    """

    network: str
    address: str
    token: str
    uri: str
    code: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """An invoice, as its payer sees it.

    Attributes:
        seller: the owner's name, as they chose it; ``seller_id`` names them for certain.
        confirming: seen on chain and not final.
        held: arrived and on hold: its payer must not send it again.
        confirmations: payment → how far one is that is not final; None where it is not known.
        slow: the network, if one has not been final for longer than on an ordinary day.
        rest: still to be sent, what is confirming or on hold taken off.
        since_final_block: of that network, in whole minutes; None where it is not known.
        version: another one once anything here but the clock is different; up to its first dot
            the same as long as only ``confirmations`` or ``since_final_block`` are.
        card: the card page that was opened last, if any; ``prices``: deposit → what a card paid.
        places: empty where nothing should be sent any more, or no address is free.
        claimable: what its payer may ask back now; ``claim`` is what they asked last.
        lookups: the transactions that were named as having paid it.
        more_time: it is about to run out, and its payer may have more.
        rest_invoice: for what was missing when it ended, once its owner has issued one.
        rest_may_be_asked: its payer may ask the owner for such an invoice.
    """

    invoice: Invoice
    seller: str
    seller_id: str
    confirming: Usdc
    held: Usdc
    rest: Usdc
    version: str
    places: Sequence[Place]
    payments: Sequence[InvoicePayment]
    refunds: Sequence[InvoiceRefund]
    card: InvoiceCard | None = None
    claimable: Usdc = ZERO
    claim: InvoiceClaim | None = None
    lookups: Sequence[InvoiceLookup] = ()
    more_time: bool = False
    rest_invoice: Invoice | None = None
    rest_may_be_asked: bool = False
    slow: str | None = None
    since_final_block: int | None = None
    prices: Mapping[str, FiatAmount] = field(default_factory=dict)
    confirmations: Mapping[str, Confirmations | None] = field(default_factory=dict)

    @property
    def looking(self) -> bool:
        """Whether a network is still being asked about a transaction."""
        return any(one.state in LOOKUP_OPEN and one.tries < LOOKUP_TRIES for one in self.lookups)

    @property
    def card_coming(self) -> bool:
        """Whether its bank may have taken the money: nobody must pay again."""
        return self.card is not None and self.card.state in CARD_COMING

    @property
    def can_be_paid(self) -> bool:
        """Whether something should be sent."""
        return bool(self.rest)


def look(invoice_id: str) -> Checkout:
    """Return what the payer sees now.

    Raises:
        NotFound: there is no such invoice.
        Unavailable: an address in the database is not ours (``address_not_ours``).
    """
    found = service.find(invoice_id)
    invoice, owner = found.invoice, users.get(found.invoice.user_id)
    seen = [one.amount_micro for one in found.payments if one.state == "SEEN"]
    confirming = sum(seen, ZERO)
    held = sum((one.amount_micro for one in found.payments if one.state == "ON_HOLD"), ZERO)
    coming, way = confirming + held, _way(found)
    rest = max(ZERO, invoice.due - coming)
    card_coming = found.card is not None and found.card.state in CARD_COMING
    if card_coming or invoice.state not in OPEN or (coming and not rest > invoice.tolerance_micro):
        rest = ZERO
    return Checkout(
        invoice=invoice,
        seller=owner.name,
        seller_id=owner.public_id,
        confirming=confirming,
        held=held,
        rest=rest,
        version=_version(found, way),
        places=_places(invoice, rest) if rest else (),
        payments=[one for one in found.payments if one.state != "VANISHED"],
        refunds=[one for one in found.refunds if one.state != "FAILED"],
        card=found.card,
        claimable=_claimable(found),
        claim=found.claims[-1] if found.claims else None,
        lookups=found.lookups,
        more_time=service.may_extend(invoice),
        rest_invoice=rests.issued(invoice),
        rest_may_be_asked=rests.may_ask(invoice),
        prices=service.card_prices(found),
        slow=way.slow,
        since_final_block=way.since_final_block,
        confirmations=way.confirmations,
    )


def version(invoice_id: str) -> str:
    """Return the ``version`` of what :func:`look` would show, at a part of its cost.

    Raises:
        NotFound: there is no such invoice.
    """
    found = service.find(invoice_id)
    return _version(found, _way(found))


@dataclass(frozen=True, slots=True)
class _Way:
    """How far on their networks the payments are that wait, read once; see :class:`Checkout`."""

    confirmations: Mapping[str, Confirmations | None]
    slow: str | None
    since_final_block: int | None


def _way(found: service.Whole) -> _Way:
    waits = [one for one in found.payments if one.state == PAYMENT.initial]
    before = clock.now() - _SLOW
    slow = next((one.network for one in waits if one.created_at < before), None)
    since = progress.since_final_block(slow) if slow else None
    return _Way(
        confirmations={one.id: progress.confirmations(one.incoming_id) for one in waits},
        slow=slow,
        since_final_block=None if since is None else since // timedelta(minutes=1),
    )


def _claimable(found: service.Whole) -> Usdc:
    asked = any(claim.state == CLAIM.initial for claim in found.claims)
    if asked or found.invoice.state == "CONFIRMING":
        return ZERO
    return claimable(found.invoice)


def _version(found: service.Whole, way: _Way) -> str:
    invoice = found.invoice
    parts = [invoice.state, str(invoice.received_micro), str(invoice.refunded_micro)]
    # More time is offered, and was taken: both are seen without a reload.
    parts += [str(invoice.extensions_left), str(service.may_extend(invoice))]
    further = rests.issued(invoice)
    parts += [str(invoice.rest_asked_at), further.id if further else ""]
    parts.append(str(way.slow))
    parts += [f"{one.id}{one.state}" for one in found.claims]
    parts += [f"{one.id}{one.state}" for one in found.lookups]
    parts += [f"{one.id}{one.state}" for one in found.payments]
    parts += [f"{one.id}{one.state}" for one in found.refunds]
    if found.card is not None:
        parts.append(f"{found.card.deposit_id}{found.card.state}{found.card.page_url is None}")
    told = [
        f"{one.count}-{one.required}" if one else "unknown" for one in way.confirmations.values()
    ]
    if way.slow:
        told.append(f"final-{way.since_final_block}")
    return ".".join([hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16], *told])


def _places(invoice: Invoice, rest: Usdc) -> Sequence[Place]:
    held = wallets.addresses_of(receiving.HOLDER, invoice.id)
    if len(held) < len(NETWORKS):
        with transaction():
            service.claim_addresses(invoice.id)
        held = wallets.addresses_of(receiving.HOLDER, invoice.id)
    places = []
    for name, network in NETWORKS.items():
        if name in held:
            uri = payment_uri(network, held[name], rest)
            code = held[name] if network.family == "evm" else uri
            places.append(Place(name, held[name], network.usdc, uri, code))
    return places
