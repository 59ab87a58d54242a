"""Accept a withdrawal: check it, hold the money, write down that it must be sent."""

from collections.abc import Sequence

from protonpay.chains.addresses import check_address
from protonpay.chains.registry import chains
from protonpay.chains.registry import network as named_network
from protonpay.kernel import clock, ids
from protonpay.kernel.errors import Forbidden, NotFound
from protonpay.kernel.money import Usdc
from protonpay.ledger import entries
from protonpay.ledger import service as ledger
from protonpay.payouts import cooldown
from protonpay.payouts.models import Payout
from protonpay.payouts.states import PAYOUT, behind
from protonpay.plans import service as plans
from protonpay.plans.service import Terms
from protonpay.store import outbox
from protonpay.store.db import db, transaction
from protonpay.store.lists import Part, newest_first
from protonpay.users import service as users
from protonpay.users.service import User


def request_payout(user_id: str, *, amount: Usdc, wallet_address: str, network: str) -> Payout:
    """Hold amount and fee, and queue the send.

    Raises:
        Invalid: no such network, an address no payout may go to, or the balance is too
            small (``unsupported_network``, ``invalid_address``, ``insufficient_balance``).
        Forbidden: above a limit of the plan, or the account may not withdraw.
        Conflict: too soon after the last one (``withdrawal_cooldown``).
    """
    to = _destination(network, wallet_address)
    with transaction() as session:
        user = users.lock(user_id)
        terms = plans.terms(user.plan)
        now = clock.now()
        _may_withdraw(user, terms)
        cooldown.check_limits(terms, user_id, amount, now)
        cooldown.check_cooldown(terms, user_id, now)
        payout = Payout(
            id=ids.new_id(),
            user_id=user_id,
            network=network,
            wallet_address=to,
            amount_micro=amount,
            fee_micro=terms.withdrawal_fee(network, amount),
            state=PAYOUT.initial,
            created_at=now,
        )
        session.add(payout)
        session.flush()
        outbox.add("payouts.sign", payout_id=payout.id)
        ledger.post(entries.payout_hold(payout.id, user_id, payout.total))
    return payout


def get(user_id: str, payout_id: str) -> Payout:
    """Return a payout of a user.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    payout = db.session.get(Payout, payout_id)
    if payout is None or payout.user_id != user_id:
        raise NotFound("not_found", "There is no such payout.")
    return payout


def history(user_id: str, part: Part, *, status: str | None = None) -> Sequence[Payout]:
    """Return a part of a user's payouts, newest first.

    Args:
        user_id: whose.
        part: which of them.
        status: only those a client sees so (``states.STATUSES``).
    """
    each = [Payout.state == state for state in behind(status)]
    return newest_first(Payout, part, Payout.user_id == user_id, each=each)


def _destination(network: str, wallet_address: str) -> str:
    of = named_network(network)
    addresses = chains.addresses()
    ours = frozenset(
        wallets[of.family]
        for wallets in (addresses.treasury, addresses.gas)
        if of.family in wallets
    )
    return check_address(of, wallet_address, ours)


def _may_withdraw(user: User, terms: Terms) -> None:
    if user.standing != "ACTIVE":
        raise Forbidden("account_suspended", "This account is suspended.")
    if terms.needs_verified_email and user.email_verified_at is None:
        raise Forbidden("email_unverified", "Verify your e-mail address first.")
    if terms.needs_kyc:
        raise Forbidden("kyc_required", "This plan needs an approved identity check first.")
