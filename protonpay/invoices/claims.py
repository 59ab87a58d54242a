"""What a payer asks back: too much, too late, or a part that was never made whole.

Whoever has the address of a pay page may ask, and say where to: nobody here knows who paid. That
moves nothing. The owner reads amount and wallet, and approves exactly that or declines it; an
approved claim is an ordinary refund to a wallet (``refunding``).
"""

from protonpay.invoices import letters, receiving, refunding, service
from protonpay.invoices.models import Invoice, InvoiceClaim, InvoiceRefund
from protonpay.invoices.reckoning import claimable, locked, tell
from protonpay.invoices.states import CLAIM
from protonpay.kernel import clock, events, ids
from protonpay.kernel.errors import Conflict, Invalid, NotFound
from protonpay.kernel.money import Usdc
from protonpay.payouts import service as payouts
from protonpay.store.db import current, transaction


def checked(invoice_id: str, *, wallet_address: str, network: str) -> tuple[Usdc, str]:
    """Return how much could be asked back now, and the address in canonical form.

    Raises:
        Refusal: as :func:`ask_back`.
    """
    with transaction():
        invoice = locked(invoice_id)
        receiving.catch_up(invoice)
        # Who copies the address they paid to would have it go round in a circle.
        to = payouts.check_destination(
            invoice.user_id, wallet_address=wallet_address, network=network
        )
        amount = claimable(invoice)
        if not amount or invoice.state == "CONFIRMING":
            raise Conflict("state_conflict", "There is nothing that can be asked back now.")
        if any(claim.state == CLAIM.initial for claim in service.whole(invoice).claims):
            raise Conflict("state_conflict", "It was asked back already, and is not decided yet.")
    return amount, to


def ask_back(invoice_id: str, *, wallet_address: str, network: str) -> InvoiceClaim:
    """Write down that the payer of an invoice asks back all that they may, and where to.

    Raises:
        NotFound: there is no such invoice.
        Conflict: there is nothing to ask back, or it was asked and is not decided
            (``state_conflict``).
        Invalid: no such network, or no payout may go to the address (``unsupported_network``,
            ``invalid_address``, ``own_invoice_address``, ``own_deposit_address``).
    """
    with transaction() as session:
        amount, to = checked(invoice_id, wallet_address=wallet_address, network=network)
        invoice = locked(invoice_id)
        claim = InvoiceClaim(
            id=ids.new_id(),
            invoice_id=invoice.id,
            amount_micro=amount,
            wallet_address=to,
            network=network,
            state=CLAIM.initial,
            created_at=clock.now(),
        )
        session.add(claim)
        session.flush()
        tell(
            events.INVOICE_REFUND_CLAIMED,
            invoice,
            claimId=claim.id,
            claimAmount=str(amount),
            walletAddress=to,
            network=network,
        )
        letters.tell_of_claim(invoice, claim)
    return claim


def give_back(
    user_id: str,
    invoice_id: str,
    *,
    claim_id: str | None = None,
    amount: Usdc | None = None,
    wallet_address: str | None = None,
    network: str | None = None,
) -> tuple[Invoice, InvoiceRefund]:
    """Give back what a claim asks for, or what its owner says.

    Raises:
        Refusal: as :func:`approve`, or as ``refunding.refund``; a claim that comes with an
            amount or a wallet of its owner's is ``validation_error``.
    """
    if claim_id is None:
        return refunding.refund(
            user_id, invoice_id, amount=amount, wallet_address=wallet_address, network=network
        )
    if (amount, wallet_address, network) != (None, None, None):
        said = "A claim says itself how much goes back, and where to."
        raise Invalid("validation_error", said)
    return approve(user_id, invoice_id, claim_id)


def approve(user_id: str, invoice_id: str, claim_id: str) -> tuple[Invoice, InvoiceRefund]:
    """Give back what a claim asks for, where it asks for; an open invoice is cancelled before.

    Raises:
        NotFound: there is no such invoice, or it is somebody else's.
        Conflict: it is decided already, or less is left now (``state_conflict``), or what a
            refund to a wallet is refused for.
        Invalid: it is no claim of this invoice (``unknown_claim``), or what a refund to a wallet is
            refused for.
        Forbidden: what a refund to a wallet is refused for.
    """
    with transaction():
        invoice, claim = _open(user_id, invoice_id, claim_id)
        if claim.amount_micro > claimable(invoice):
            said = "Less can be given back by now than this claim asks for: decline it."
            raise Conflict("state_conflict", said)
        if invoice.state == "PENDING":
            service.cancel(user_id, invoice_id)
        invoice, given = refunding.refund(
            user_id,
            invoice_id,
            amount=claim.amount_micro,
            wallet_address=claim.wallet_address,
            network=claim.network,
        )
        _end(claim, "APPROVED")
        claim.refund_id = given.id
    return invoice, given


def decline(user_id: str, invoice_id: str, claim_id: str) -> Invoice:
    """Give nothing back by a claim; its payer may ask again.

    Raises:
        NotFound: there is no such invoice, or it is somebody else's.
        Invalid: it is no claim of this invoice (``unknown_claim``).
        Conflict: it is decided already (``state_conflict``).
    """
    with transaction():
        invoice, claim = _open(user_id, invoice_id, claim_id)
        _end(claim, "DECLINED")
    return invoice


def _open(user_id: str, invoice_id: str, claim_id: str) -> tuple[Invoice, InvoiceClaim]:
    invoice = locked(invoice_id)
    claim = current().get(InvoiceClaim, claim_id, populate_existing=True)
    if invoice.user_id != user_id:
        raise NotFound("not_found", "There is no such invoice.")
    if claim is None or claim.invoice_id != invoice_id:
        raise Invalid("unknown_claim", "There is no such claim of this invoice.")
    if claim.state != CLAIM.initial:
        raise Conflict("state_conflict", "This claim is decided already.")
    return invoice, claim


def _end(claim: InvoiceClaim, state: str) -> None:
    CLAIM.check(claim.state, state)
    claim.state, claim.ended_at = state, clock.now()
    current().flush()
