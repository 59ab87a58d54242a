"""Every way money can move, as postings: from a source, to a destination, above zero.

An entry's ``reference`` names the one event it books. The book takes a reference once:
the same entry again is answered with what already stands, another one is refused.

One kind is made by the book itself: a ``debt_repayment`` (``<reference>:repays:<user>``,
available → debt) beside every entry that brings money to a user who owes.
"""

from dataclasses import dataclass

from protonpay.kernel.money import Usdc
from protonpay.ledger import chart


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount above zero that leaves one account and enters another."""

    source: str
    destination: str
    amount: Usdc


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the book. Postings of zero are left out when it is made."""

    reference: str
    kind: str
    postings: tuple[Posting, ...]


@dataclass(frozen=True, slots=True)
class Refund:
    """One step of a deposit's way back.

    Attributes:
        amount: what the user had got.
        commission: what we had kept.
        until: the total given back so far, in the currency's minor units: each is booked once.
    """

    amount: Usdc
    commission: Usdc
    until: int


def _entry(reference: str, kind: str, *postings: Posting) -> Entry:
    return Entry(reference, kind, tuple(posting for posting in postings if posting.amount))


def transfer(transfer_id: str, sender: str, recipient: str, amount: Usdc, fee: Usdc) -> Entry:
    """Move USDC from one user to another; the sender pays the fee on top."""
    return _entry(
        f"transfer:{transfer_id}",
        "transfer",
        Posting(chart.available(sender), chart.available(recipient), amount),
        Posting(chart.available(sender), chart.FEES, fee),
    )


def card_credit(
    deposit_id: str, provider: str, user_id: str, amount: Usdc, commission: Usdc
) -> Entry:
    """Credit a captured card payment: the provider owes us what we owe the user.

    Args:
        deposit_id: names the entry.
        provider: who took the card.
        user_id: whose balance grows by ``amount``.
        amount: what the user gets, commission taken off.
        commission: our part.
    """
    return _entry(
        f"deposit:{deposit_id}:credit",
        "card_credit",
        Posting(chart.clearing(provider), chart.available(user_id), amount),
        Posting(chart.clearing(provider), chart.FEES, commission),
    )


def chain_credit(
    incoming_id: str, network: str, user_id: str, amount: Usdc, commission: Usdc
) -> Entry:
    """Credit a transfer that is final on chain: our custody there grows by all of it.

    Args:
        incoming_id: the transfer; names the entry, whoever is credited for whatever reason.
        network: where it came in.
        user_id: whose balance grows by ``amount``.
        amount: what the user gets, commission taken off.
        commission: our part.
    """
    return _entry(
        f"incoming:{incoming_id}:credit",
        "chain_credit",
        Posting(chart.custody(network), chart.available(user_id), amount),
        Posting(chart.custody(network), chart.FEES, commission),
    )


def inside_credit(
    incoming_id: str, _network: str, user_id: str, amount: Usdc, commission: Usdc
) -> Entry:
    """Credit a payout of ours to an address of ours: no chain has moved, and no custody.

    Under the reference and with the arguments of ``chain_credit``.
    """
    return _entry(
        f"incoming:{incoming_id}:credit",
        "inside_credit",
        Posting(chart.INSIDE, chart.available(user_id), amount),
        Posting(chart.INSIDE, chart.FEES, commission),
    )


def chain_suspend(incoming_id: str, network: str, amount: Usdc) -> Entry:
    """Take a final transfer into the book without crediting anybody.

    Under the reference of its credit: a transfer comes in once, whichever way.
    """
    return _entry(
        f"incoming:{incoming_id}:credit",
        "chain_suspend",
        Posting(chart.custody(network), chart.suspense(network), amount),
    )


def suspense_release(
    incoming_id: str, network: str, user_id: str, amount: Usdc, commission: Usdc
) -> Entry:
    """Credit a transfer that was held to the user it was meant for."""
    return _entry(
        f"incoming:{incoming_id}:release",
        "suspense_release",
        Posting(chart.suspense(network), chart.available(user_id), amount),
        Posting(chart.suspense(network), chart.FEES, commission),
    )


def invoice_payment(payment_id: str, payer: str, owner: str, amount: Usdc) -> Entry:
    """Pay an invoice from a balance; it costs nobody a fee."""
    return _entry(
        f"invoice_payment:{payment_id}",
        "invoice_payment",
        Posting(chart.available(payer), chart.available(owner), amount),
    )


def invoice_refund(refund_id: str, owner: str, payer: str, amount: Usdc) -> Entry:
    """Give what was paid from a balance back to it."""
    return _entry(
        f"invoice_refund:{refund_id}",
        "invoice_refund",
        Posting(chart.available(owner), chart.available(payer), amount),
    )


def card_refund(
    deposit_id: str, provider: str, user_id: str, refund: Refund, *, there: Usdc
) -> Entry:
    """Take back what a provider gave back to the payer of a credited deposit.

    Args:
        deposit_id: names the entry, with the total that was given back until now.
        provider: who gave it back, and owes us that much less.
        user_id: who was credited.
        refund: what is taken back by this entry.
        there: what the user has; what that does not cover becomes their debt.
    """
    taken = min(refund.amount, there)
    clearing = chart.clearing(provider)
    return _entry(
        f"deposit:{deposit_id}:refund:{refund.until}",
        "card_refund",
        Posting(chart.available(user_id), clearing, taken),
        Posting(chart.debt(user_id), clearing, refund.amount - taken),
        Posting(chart.FEES, clearing, refund.commission),
    )


def payout_hold(payout_id: str, user_id: str, total: Usdc, *, source: str | None = None) -> Entry:
    """Set amount and fee aside when a withdrawal is accepted; from a source that is not theirs."""
    return _entry(
        f"payout:{payout_id}:hold",
        "payout_hold",
        Posting(source or chart.available(user_id), chart.held(user_id), total),
    )


def payout_settle(payout_id: str, user_id: str, network: str, amount: Usdc, fee: Usdc) -> Entry:
    """Book a payout that is final on chain: the amount left custody, the fee is ours."""
    return _entry(
        f"payout:{payout_id}:settle",
        "payout_settle",
        Posting(chart.held(user_id), chart.custody(network), amount),
        Posting(chart.held(user_id), chart.FEES, fee),
    )


def payout_settle_inside(payout_id: str, user_id: str, amount: Usdc, fee: Usdc) -> Entry:
    """Book a payout to an address of ours: it is on its way to whoever holds that."""
    return _entry(
        f"payout:{payout_id}:settle",
        "payout_settle_inside",
        Posting(chart.held(user_id), chart.INSIDE, amount),
        Posting(chart.held(user_id), chart.FEES, fee),
    )


def payout_release(
    payout_id: str, user_id: str, total: Usdc, *, source: str | None = None
) -> Entry:
    """Give back what a failed payout had set aside, fee included, to where it was taken from."""
    return _entry(
        f"payout:{payout_id}:release",
        "payout_release",
        Posting(chart.held(user_id), source or chart.available(user_id), total),
    )


def capital(reference: str, network: str, amount: Usdc) -> Entry:
    """Book the house's own USDC put into a treasury on chain."""
    return _entry(
        f"capital:{reference}",
        "capital",
        Posting(chart.custody(network), chart.CAPITAL, amount),
    )


def adjustment(adjustment_id: str, source: str, destination: str, amount: Usdc) -> Entry:
    """Correct the book by what two people agreed on."""
    return _entry(f"adjustment:{adjustment_id}", "adjustment", Posting(source, destination, amount))


def gift(reference: str, user_id: str, amount: Usdc) -> Entry:
    """Give a user some of the house's own USDC."""
    return _entry(
        f"gift:{reference}",
        "gift",
        Posting(chart.CAPITAL, chart.available(user_id), amount),
    )
