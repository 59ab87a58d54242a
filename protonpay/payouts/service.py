"""Accept a withdrawal: check it, hold the money, write down that it must be sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from protonpay.address_book import service as address_book
from protonpay.chains.addresses import check_address
from protonpay.chains.registry import chains
from protonpay.chains.registry import network as named_network
from protonpay.kernel import clock, ids
from protonpay.kernel.errors import Forbidden, Invalid, NotFound, Refusal
from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import chart, entries
from protonpay.ledger import service as ledger
from protonpay.payouts import approval, cooldown, screened
from protonpay.payouts.cooldown import Before
from protonpay.payouts.models import Payout
from protonpay.payouts.states import PAYOUT, behind
from protonpay.plans import service as plans
from protonpay.plans.service import Terms
from protonpay.store import outbox
from protonpay.store.db import current, db, transaction
from protonpay.store.lists import Part, newest_first
from protonpay.users import service as users
from protonpay.users.service import User
from protonpay.wallets import recording


@dataclass(frozen=True, slots=True)
class Quote:
    """What a withdrawal would cost, what the plan leaves room for, and why it would fail now.

    Attributes:
        balance: what the user may spend.
        single_limit: largest withdrawal; ``day_left``: sum that still fits the last 24 hours.
        most: the largest amount that balance and limits have room for now.
        inside: the wallet is an address of this installation: no chain would carry it.
        problems: codes of the refusals that stand in its way, in the order in which
            ``request_payout`` would meet them.
    """

    amount: Usdc
    network: str
    fee: Usdc
    balance: Usdc
    single_limit: Usdc
    day_left: Usdc
    cooldown_seconds_left: int
    most: Usdc
    inside: bool
    problems: Sequence[str]

    @property
    def total(self) -> Usdc:
        """What would leave the balance."""
        return self.amount + self.fee

    @property
    def balance_after(self) -> Usdc | None:
        """What would be left; None if there is not enough."""
        return None if self.balance < self.total else self.balance - self.total


def request_payout(user_id: str, *, amount: Usdc, wallet_address: str, network: str) -> Payout:
    """Hold amount and fee, and queue the send.

    Raises:
        Invalid: no such network, an address no payout may go to, or the balance is too
            small (``unsupported_network``, ``invalid_address``, ``own_deposit_address``,
            ``own_invoice_address``, ``insufficient_balance``).
        Forbidden: above a limit of the plan at the user's level, the account may not withdraw, or
            the user's own address book does not allow the wallet.
        Conflict: too soon after the last one (``withdrawal_cooldown``).
    """
    to = _destination(network, wallet_address)
    with transaction() as session:
        user = users.lock(user_id)
        terms = plans.terms(user.plan).at_level(user.identity_level)
        now = clock.now()
        earlier = cooldown.before(user_id, now)
        for check in _checks(user, terms, network, amount, earlier, to):
            check()
        payout = Payout(
            id=ids.new_id(),
            user_id=user_id,
            network=network,
            wallet_address=to,
            amount_micro=amount,
            fee_micro=terms.withdrawal_fee(network, amount),
            state=PAYOUT.initial,
            created_at=now,
            approved_at=now,
        )
        screened.hold(payout)
        approval.hold(payout)
        session.add(payout)
        session.flush()
        if payout.state == PAYOUT.initial:
            outbox.add("payouts.sign", payout_id=payout.id)
        ledger.post(entries.payout_hold(payout.id, user_id, payout.total))
    return payout


def check_destination(user_id: str, *, wallet_address: str, network: str) -> str:
    """Return a wallet in canonical form, if a payout of a user's might go there.

    Raises:
        Invalid: as :func:`request_payout` for its address.
    """
    to = _destination(network, wallet_address)
    _check_not_own(user_id, network, to)
    return to


def send_back(user_id: str, amount: Usdc, *, to: str, network: str) -> Payout:
    """Pay held money that came in on a network back to where it came from, in a transaction.

    It is nobody's withdrawal: no fee, no limit, no cooldown; if it fails the money is held again.

    Raises:
        Invalid: no payout may go there (``invalid_address``), or less is held.
    """
    now = clock.now()
    payout = Payout(
        id=ids.new_id(),
        user_id=user_id,
        network=network,
        wallet_address=_destination(network, to),
        amount_micro=amount,
        fee_micro=ZERO,
        state=PAYOUT.initial,
        created_at=now,
        approved_at=now,
        source=chart.suspense(network),
        cleared=True,
    )
    current().add(payout)
    current().flush()
    outbox.add("payouts.sign", payout_id=payout.id)
    ledger.post(entries.payout_hold(payout.id, user_id, payout.total, source=payout.source))
    return payout


def quote(user_id: str, *, amount: Usdc, network: str, wallet_address: str | None = None) -> Quote:
    """Say what a withdrawal would cost now and what stands in its way; holds and changes nothing.

    Args:
        user_id: who asks.
        amount: what the wallet would receive.
        network: where it would go.
        wallet_address: the wallet, if it shall be checked too.

    Raises:
        Invalid: there is no such network, or the plan has no fee for it: nothing to quote
            (``unsupported_network``).
    """
    named_network(network)
    to, misdirected = None, []
    try:
        to = None if wallet_address is None else _destination(network, wallet_address)
    except Invalid as refusal:
        misdirected = [refusal.code]
    with transaction():
        user, now = users.get(user_id), clock.now()
        terms = plans.terms(user.plan).at_level(user.identity_level)
        fee = terms.withdrawal_fee(network, amount)
        balance = ledger.balance(chart.available(user_id))
        earlier = cooldown.before(user_id, now)
        checks: list[Callable[[], object]] = [
            *_checks(user, terms, network, amount, earlier, to),
            partial(ledger.check_covers, chart.available(user_id), amount + fee),
        ]
        day_left = max(ZERO, earlier.day_left(terms))
        return Quote(
            amount=amount,
            network=network,
            fee=fee,
            balance=balance,
            single_limit=terms.single_limit,
            day_left=day_left,
            cooldown_seconds_left=earlier.seconds_left(terms),
            most=min(terms.single_limit, day_left, terms.most_withdrawn(network, balance)),
            inside=to is not None and bool(recording.holders(network, [to])),
            problems=[*misdirected, *(code for check in checks if (code := _code(check)))],
        )


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
    return check_address(of, wallet_address, chains.own_wallets(of))


def _checks(
    user: User, terms: Terms, network: str, amount: Usdc, earlier: Before, to: str | None
) -> tuple[Callable[[], object], ...]:
    """Return what may stand in a withdrawal's way, in the order in which it is told.

    Before these comes the wallet's address, which needs no lock (None if none is meant yet);
    after them the balance, which the ledger tests as it takes the money.
    """
    return (
        partial(users.check_may_spend, user),
        partial(_check_email, user, terms),
        partial(_check_identity, user, terms),
        *([] if to is None else [partial(_check_not_own, user.id, network, to)]),
        *([] if to is None else [partial(address_book.check, user.id, network, to)]),
        partial(cooldown.check_single, terms, amount),
        partial(cooldown.check_day, terms, earlier, amount),
        partial(cooldown.check_cooldown, terms, earlier),
        partial(terms.withdrawal_fee, network, amount),
    )


def _code(check: Callable[[], object]) -> str | None:
    try:
        check()
    except Refusal as refusal:
        return refusal.code
    return None


def _check_not_own(user_id: str, network: str, to: str) -> None:
    holder = recording.holders(network, [to]).get(to)
    if holder is None or recording.owners.of(holder) != user_id:
        return
    if holder[0] == "user":
        raise Invalid("own_deposit_address", "This is your own deposit address.")
    # Nobody pays an invoice of their own, by balance (``own_invoice``) or by this way round.
    raise Invalid("own_invoice_address", "This is the address of an invoice of your own.")


def _check_email(user: User, terms: Terms) -> None:
    if terms.needs_verified_email and user.email_verified_at is None:
        raise Forbidden("email_unverified", "Verify your e-mail address first.")


def _check_identity(user: User, terms: Terms) -> None:
    if terms.needs_kyc and user.identity_approved_at is None:
        raise Forbidden("kyc_required", "This plan needs an approved identity check first.")
