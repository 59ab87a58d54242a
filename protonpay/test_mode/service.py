"""Be paid by a wallet outside, and have an identity check decided: in a sandbox, for oneself.

A worker sends, once: that it begins is written down before it asks the node. What is found begun
and not ended may have been sent, and is not sent again; the watch of its network will know. What
is to vanish, the node goes on without once that watch has seen it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from protonpay.audit import service as audit
from protonpay.chains.registry import NETWORKS, chains
from protonpay.chains.registry import network as named_network
from protonpay.invoices import receiving
from protonpay.invoices import service as invoices
from protonpay.kernel import clock, ids
from protonpay.kernel.errors import Invalid, Limited, NotFound
from protonpay.kernel.money import ZERO, Usdc
from protonpay.kyc import service as kyc
from protonpay.kyc.service import Standing
from protonpay.store import outbox
from protonpay.store.db import LOCK, current, db, transaction
from protonpay.store.jobs import Later
from protonpay.store.lists import Part, newest_first
from protonpay.test_mode.models import Payment
from protonpay.test_mode.states import TEST_PAYMENT
from protonpay.users import service as users
from protonpay.wallets import service as wallets
from protonpay.wallets.states import INCOMING

SEEN_WITHIN = timedelta(minutes=1)
"""How long what is to vanish is waited for: it is final long before."""
_VANISHES_ON = "solana"
"""The family on whose networks a payment is seen for some seconds before it is final."""
USUAL = Usdc.parse("100")
MOST = Usdc.parse("10000")
MOST_AN_HOUR = 60
OUTCOMES = ("APPROVED", "REJECTED")
REASONS = ("node_refused", "node_away")
"""Why a payment was not sent: its node said no, or could not be reached for ``PATIENCE``."""
PATIENCE = timedelta(hours=1)
"""For how long a payment waits for a node that is away: after that nobody wants it any more."""

_SOONEST_SECONDS, _LATEST_SECONDS = 5, 300
_BY = audit.Operator("sandbox", "test mode")
_WHY = "decided by its owner in a sandbox"


@dataclass(frozen=True, slots=True)
class Errand:
    """What a worker has the wallet outside send.

    Attributes:
        family: of the network, ``rpc_url`` of its node, ``usdc`` its token.
        micro: in 10⁻⁶ USDC.
    """

    family: str
    rpc_url: str
    usdc: str
    address: str
    micro: int


@dataclass(frozen=True, slots=True)
class Removal:
    """Which payment a worker has a node go on without: as in ``Errand``."""

    family: str
    rpc_url: str
    tx_hash: str


def pay(
    user_id: str,
    *,
    network: str,
    amount: Usdc | None,
    invoice_id: str | None = None,
    vanishes: bool = False,
) -> Payment:
    """Have the wallet outside pay a user, or an invoice of theirs.

    Args:
        user_id: whom.
        network: on which.
        amount: how much; None: what the invoice still asks for, else ``USUAL``.
        invoice_id: at whose address. One that has ended can be paid too: payers do that.
        vanishes: whether a reorganisation is to take it away once it was seen.

    Raises:
        Invalid: no such network (``unsupported_network``), too much (``amount_too_large``); the
            invoice asks for nothing and no amount was said, or it is to vanish where blocks
            are final at once (``validation_error``).
        NotFound: there is no such invoice, or it is somebody else's.
        Limited: too many within the hour (``too_many_tests``).
        Unavailable: no address is free (``addresses_exhausted``).
    """
    of = named_network(network)
    if vanishes and of.family != _VANISHES_ON:
        said = "A payment vanishes on Solana alone: other networks are final too soon."
        raise Invalid("validation_error", said, fields={"json": {"vanishes": [said]}})
    with transaction() as session:
        micro = _amount(user_id, amount, invoice_id)
        users.lock(user_id)
        _check_rate(user_id)
        payment = Payment(
            id=ids.new_id(),
            user_id=user_id,
            network=of.name,
            address=wallets.assign_on(of.name, *_holder(user_id, invoice_id)),
            amount_micro=micro,
            invoice_id=invoice_id,
            vanishes=vanishes,
            state=TEST_PAYMENT.initial,
            created_at=clock.now(),
        )
        session.add(payment)
        session.flush()
        outbox.add("test_mode.pay", payment_id=payment.id)
    return payment


def get(user_id: str, payment_id: str) -> Payment:
    """Return a test payment of a user.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    found = db.session.get(Payment, payment_id, populate_existing=True)
    if found is None or found.user_id != user_id:
        raise NotFound("not_found", "There is no such payment.")
    return found


def history(user_id: str, part: Part) -> Sequence[Payment]:
    """Return a part of a user's test payments, newest first."""
    return newest_first(Payment, part, Payment.user_id == user_id)


def due(payment_id: str) -> Errand | None:
    """Return what is still to be sent; None if it was, or may have been.

    Raises:
        LookupError: there is no such payment.
    """
    with transaction():
        payment = _locked(payment_id)
        if payment.state == "SENDING":
            # Who began it has died: whether it was sent, nobody here can say.
            _end(payment, "UNKNOWN")
        if payment.state != TEST_PAYMENT.initial:
            return None
        of = NETWORKS[payment.network]
        url = chains.rpc_url(of.name)
        return Errand(of.family, url, of.usdc, payment.address, payment.amount_micro.micro)


def begin(payment_id: str) -> bool:
    """Write down that a payment is being sent; False if somebody else has begun it."""
    with transaction():
        payment = _locked(payment_id)
        if payment.state != TEST_PAYMENT.initial:
            return False
        payment.state = "SENDING"
        return True


def put_off(payment_id: str) -> float | None:
    """Wait for a node that is away; what was not begun when ``PATIENCE`` is over is given up.

    Returns:
        In how many seconds to look again: the longer it has waited, the longer it can. None:
        not again.
    """
    with transaction():
        payment = _locked(payment_id)
        if payment.state != TEST_PAYMENT.initial:
            return None
        age = clock.now() - payment.created_at
        if age >= PATIENCE:
            payment.reason = "node_away"
            _end(payment, "FAILED")
            return None
        seconds = int(age.total_seconds()) // 2
        return min(
            max(seconds, _SOONEST_SECONDS), _LATEST_SECONDS, (PATIENCE - age).total_seconds()
        )


def sent(payment_id: str, tx_hash: str) -> None:
    """Note that a payment was sent, and by which transaction."""
    with transaction():
        payment = _locked(payment_id)
        payment.tx_hash = tx_hash
        _end(payment, "SENT")
        if payment.vanishes:
            outbox.add("test_mode.take_away", payment_id=payment.id)


def to_take_away(payment_id: str) -> Removal | Later | None:
    """Return which payment is to be taken away, as soon as the product has seen it.

    Returns:
        None once it is final or gone, or was not seen in time.

    Raises:
        LookupError: there is no such payment, or it was not sent.
    """
    payment = db.session.get(Payment, payment_id, populate_existing=True)
    if payment is None or payment.tx_hash is None:
        raise LookupError(f"there is no test payment {payment_id} that was sent")
    if payment.ended_at is None or payment.ended_at + SEEN_WITHIN < clock.now():
        return None
    for seen in wallets.transfers(*_holder(payment.user_id, payment.invoice_id)):
        if seen.tx_hash == payment.tx_hash:
            of = NETWORKS[payment.network]
            removal = Removal(of.family, chains.rpc_url(of.name), payment.tx_hash)
            return removal if seen.state == INCOMING.initial else None
    return Later(1, "not seen yet")


def not_sent(payment_id: str) -> None:
    """Note that the node refused a payment: nothing was sent."""
    with transaction():
        payment = _locked(payment_id)
        payment.reason = "node_refused"
        _end(payment, "FAILED")


def lost(payment_id: str) -> None:
    """Note that nobody knows whether a payment was sent."""
    with transaction():
        _end(_locked(payment_id), "UNKNOWN")


def decide_identity(user_id: str, *, outcome: str, reason: str) -> Standing:
    """Decide a user's identity check as an operator would; it stands in the audit log.

    Args:
        user_id: whose.
        outcome: one of ``OUTCOMES``.
        reason: of a rejection, one of ``kyc.states.REASONS``.

    Raises:
        NotFound: the user never submitted one.
        Conflict: it does not wait (``state_conflict``).
    """

    def look() -> Mapping[str, str | None]:
        now = kyc.standing(user_id)
        return {"identity": now.status, "reason": now.reason}

    approved = outcome == "APPROVED"
    action = "users.kyc.approve" if approved else "users.kyc.reject"
    with audit.recorded(_BY, action, f"user {user_id}", _WHY, look):
        if approved:
            kyc.approve(user_id)
        else:
            kyc.reject(user_id, reason)
    return kyc.standing(user_id)


def _holder(user_id: str, invoice_id: str | None) -> tuple[str, str]:
    return ("user", user_id) if invoice_id is None else (receiving.HOLDER, invoice_id)


def _amount(user_id: str, said: Usdc | None, invoice_id: str | None) -> Usdc:
    asked = USUAL if invoice_id is None else invoices.get(user_id, invoice_id).invoice.due
    amount = asked if said is None else said
    if amount == ZERO:
        raise Invalid("validation_error", "This invoice asks for nothing: say an amount.")
    if amount > MOST:
        too_much = "At most {limit} USDC in one test payment."
        raise Invalid("amount_too_large", too_much, limit=MOST.whole)
    return amount


def _check_rate(user_id: str) -> None:
    since = clock.now() - timedelta(hours=1)
    lately = select(func.count()).where(Payment.user_id == user_id, Payment.created_at > since)
    if current().scalars(lately).one() >= MOST_AN_HOUR:
        said = "At most {limit} test payments an hour."
        raise Limited("too_many_tests", said, retry_after=3600, limit=MOST_AN_HOUR)


def _locked(payment_id: str) -> Payment:
    row = select(Payment).where(Payment.id == payment_id).with_for_update(**LOCK)
    found = current().scalar(row, execution_options={"populate_existing": True})
    if found is None:
        raise LookupError(f"there is no test payment {payment_id}")
    return found


def _end(payment: Payment, state: str) -> None:
    TEST_PAYMENT.check(payment.state, state)
    payment.state, payment.ended_at = state, clock.now()
