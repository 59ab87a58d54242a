"""Give back what was paid: to the balance it came from, or to a wallet by a payout.

Out of the owner's balance. What came on chain or by card goes back as an ordinary withdrawal of the
owner, with its fee, limits and cooldown: whoever paid may have paid from an exchange, so the
address is told and never guessed. It counts as given back once the payout is final.
"""

from sqlalchemy import select

from protonpay.invoices.models import Invoice, InvoicePayment, InvoiceRefund
from protonpay.invoices.reckoning import give_back, left, locked
from protonpay.invoices.states import REFUND, REFUNDABLE
from protonpay.kernel import clock, ids
from protonpay.kernel.errors import Conflict, Invalid, NotFound
from protonpay.kernel.money import Usdc
from protonpay.ledger import entries
from protonpay.ledger import service as ledger
from protonpay.payouts import service as payouts
from protonpay.store import outbox
from protonpay.store.db import current, transaction
from protonpay.store.jobs import Later
from protonpay.users import service as users

_LOOK_AGAIN = 5


def refund(
    user_id: str,
    invoice_id: str,
    *,
    amount: Usdc | None = None,
    wallet_address: str | None = None,
    network: str | None = None,
) -> tuple[Invoice, InvoiceRefund]:
    """Give back an amount, or all that is left of what came in the same way.

    Args:
        user_id: the owner, whose balance it leaves.
        invoice_id: of which invoice.
        amount: how much; all that is left if None.
        wallet_address: where what came on chain or by card goes; without it, what was paid from a
            balance goes back to that.
        network: of the wallet.

    Raises:
        NotFound: there is no such invoice, or it is somebody else's.
        Conflict: it is open, or nothing is left to give back (``state_conflict``); too soon
            after the last withdrawal (``withdrawal_cooldown``).
        Invalid: more than is left (``invalid_amount``), not paid from a balance and no wallet told
            (``wallet_address_required``), or what a withdrawal is refused for.
        Forbidden: the account is suspended, or a limit of its plan.
    """
    if (wallet_address is None) != (network is None):
        raise Invalid("validation_error", "A wallet needs both walletAddress and network.")
    with transaction():
        users.check_may_spend(users.get(user_id))
        invoice = _of(user_id, invoice_id)
        method = "BALANCE" if wallet_address is None else "CRYPTO"
        amount = _checked(invoice, method, amount)
        if wallet_address is None or network is None:
            return invoice, _to_balance(invoice, amount)
        return invoice, _to_wallet(invoice, amount, wallet_address, network)


def follow(refund_id: str) -> Later | None:
    """Let a refund end as its payout ended."""
    with transaction() as session:
        row = session.get_one(InvoiceRefund, refund_id)
        invoice = locked(row.invoice_id)
        session.refresh(row)
        if row.state != REFUND.initial or row.payout_id is None:
            return None
        ended = payouts.get(row.owner_id, row.payout_id).state
        if ended == "COMPLETED":
            give_back(invoice, row)
        elif ended == "FAILED":
            _move(row, "FAILED")
        else:
            return Later(_LOOK_AGAIN, "the payout is not final")
    return None


def _of(user_id: str, invoice_id: str) -> Invoice:
    invoice = locked(invoice_id)
    if invoice.user_id != user_id:
        raise NotFound("not_found", "There is no such invoice.")
    return invoice


def _checked(invoice: Invoice, method: str, amount: Usdc | None) -> Usdc:
    each = {way: left(invoice, way) for way in ("BALANCE", "CRYPTO")}
    if invoice.state not in REFUNDABLE or not any(each.values()):
        raise Conflict("state_conflict", "There is nothing that can be given back now.")
    if not each["BALANCE"] and method == "BALANCE":
        said = "This was not paid from a balance: say walletAddress and network."
        raise Invalid("wallet_address_required", said)
    wanted = each[method] if amount is None else amount
    if wanted > each[method] or not wanted:
        most = "At most {limit} USDC can be given back this way."
        raise Invalid("invalid_amount", most, limit=each[method])
    return wanted


def _to_balance(invoice: Invoice, amount: Usdc) -> InvoiceRefund:
    payer_id = (
        current()
        .scalars(
            select(InvoicePayment.payer_id).where(
                InvoicePayment.invoice_id == invoice.id, InvoicePayment.method == "BALANCE"
            )
        )
        .one()
    )
    row = _add(invoice, amount, payer_id=payer_id)
    entry = entries.invoice_refund(row.id, invoice.user_id, payer_id or "", amount)
    give_back(invoice, row)
    ledger.post(entry)
    return row


def _to_wallet(invoice: Invoice, amount: Usdc, address: str, network: str) -> InvoiceRefund:
    payout = payouts.request_payout(
        invoice.user_id, amount=amount, wallet_address=address, network=network
    )
    row = _add(invoice, amount, payout_id=payout.id)
    outbox.add("invoices.follow_refund", delay_seconds=_LOOK_AGAIN, refund_id=row.id)
    return row


def _add(invoice: Invoice, amount: Usdc, **by: str | None) -> InvoiceRefund:
    row = InvoiceRefund(
        id=ids.new_id(),
        invoice_id=invoice.id,
        owner_id=invoice.user_id,
        amount_micro=amount,
        state=REFUND.initial,
        created_at=clock.now(),
        **by,
    )
    current().add(row)
    current().flush()
    return row


def _move(row: InvoiceRefund, state: str) -> None:
    REFUND.check(row.state, state)
    row.state, row.ended_at = state, clock.now()
    current().flush()
