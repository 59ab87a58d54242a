"""Letters about an invoice: to who shall pay it, and to its owner.

A letter to a stranger is written in our name, so nothing of it is the seller's to word but the
name of their account: what an invoice is for is read on its page. How many are written is limited
by the account and by the invoice, and only an account whose own address is proved writes any.
"""

from datetime import timedelta

from sqlalchemy import func, select

from protonpay.invoices import receiving
from protonpay.invoices.models import Invoice, InvoiceClaim, InvoiceLetter
from protonpay.invoices.reckoning import locked
from protonpay.invoices.states import INVOICE
from protonpay.kernel import clock, events, ids
from protonpay.kernel.errors import Conflict, Forbidden, Limited, NotFound
from protonpay.locales import formats
from protonpay.mail import service as mail
from protonpay.mail.service import office
from protonpay.store.db import current, transaction
from protonpay.telegram.telling import tell
from protonpay.users import service as users
from protonpay.users.service import User

MOST_OF_ONE = 3
"""Letters about one invoice within a day."""
MOST_AN_HOUR = 20
"""Letters of one account."""
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


def send(user_id: str, invoice_id: str, *, email: str, language: str | None) -> InvoiceLetter:
    """Send an invoice's pay page to who shall pay it.

    Args:
        user_id: the invoice's owner.
        invoice_id: which.
        email: to whom.
        language: of the letter; None for the owner's own.

    Raises:
        NotFound: there is no such invoice, or it is somebody else's.
        Forbidden: the account's own address is not proved (``email_unverified``), or the account
            is suspended (``account_suspended``).
        Conflict: it cannot be paid any more, or is being paid (``state_conflict``).
        Limited: three about this invoice within a day, or twenty within an hour
            (``too_many_letters``).
    """
    with transaction() as session:
        invoice = locked(invoice_id)
        if invoice.user_id != user_id:
            raise NotFound("not_found", "There is no such invoice.")
        receiving.catch_up(invoice)
        owner = users.lock(user_id)
        _check_may_write(owner)
        if invoice.state != INVOICE.initial:
            raise Conflict("state_conflict", "This invoice cannot be paid now.")
        _check_often(MOST_OF_ONE, _DAY, invoice_id=invoice_id)
        _check_often(MOST_AN_HOUR, _HOUR, user_id=user_id)
        letter = InvoiceLetter(
            id=ids.new_id(),
            invoice_id=invoice.id,
            user_id=user_id,
            email=email,
            language=language or owner.language,
            created_at=clock.now(),
        )
        session.add(letter)
        mail.post(
            "invoice",
            to=email,
            language=letter.language,
            useful_for=invoice.expires_at - letter.created_at,
            seller=owner.name,
            email=owner.email,
            amount=formats.usdc(letter.language, invoice.due),
            until=f"{invoice.expires_at:%Y-%m-%d %H:%M} UTC",
            link=office.address(f"/pay/{invoice.id}?lang={letter.language}"),
        )
    return letter


def tell_of_claim(invoice: Invoice, claim: InvoiceClaim) -> None:
    """Write to an owner who wants it that a payer asks back, in the caller's transaction."""
    owner = users.get(invoice.user_id)
    said = {
        "name": owner.name,
        "amount": formats.usdc(owner.language, claim.amount_micro),
        "invoice": invoice.id,
        "address": claim.wallet_address,
        "network": claim.network,
        "link": office.address(f"/app/invoices/{invoice.id}"),
    }
    tell(owner, events.INVOICE_REFUND_CLAIMED, "invoice_refund_claimed", said)


def tell_of_rest(invoice: Invoice) -> None:
    """Write to the owner of an invoice whose payer would pay the rest, likewise."""
    owner = users.get(invoice.user_id)
    mail.post(
        "invoice_rest_asked",
        to=owner.email,
        language=owner.language,
        name=owner.name,
        paid=formats.usdc(owner.language, invoice.received_micro),
        amount=formats.usdc(owner.language, invoice.amount_micro),
        rest=formats.usdc(owner.language, invoice.missing),
        invoice=invoice.id,
        link=office.address(f"/app/invoices/{invoice.id}"),
    )


def _check_may_write(owner: User) -> None:
    if owner.standing != "ACTIVE":
        raise Forbidden("account_suspended", "This account is suspended.")
    if owner.email_verified_at is None:
        raise Forbidden("email_unverified", "Verify your e-mail address first.")


def _check_often(most: int, within: timedelta, **whose: str) -> None:
    """Refuse what would be more letters than may be written; the caller holds the rows' lock."""
    since = clock.now() - within
    lately = select(func.count(), func.min(InvoiceLetter.created_at))
    lately = lately.filter_by(**whose).where(InvoiceLetter.created_at > since)
    sent, oldest = current().execute(lately).one()
    if sent >= most:
        seconds = max(1, int((oldest - since).total_seconds()))
        said = "Too many letters were asked for. Try again later."
        raise Limited("too_many_letters", said, retry_after=seconds)
