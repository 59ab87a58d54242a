"""Sign payouts and store the bytes: the intention is on disk before the act.

A job speaks of one payout and takes along whatever else waits on its network, as much as is
looked at together: in one transaction, or in several whose bytes are stored together. The jobs of
those that were taken along end with the signatures.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import structlog
from sqlalchemy import not_, select

from protonpay.chains.port import (
    AlreadySent,
    Chain,
    Hindrance,
    NotReady,
    PayeeRefused,
    Prospect,
    SendOrder,
)
from protonpay.chains.registry import chains
from protonpay.chains.registry import network as named_network
from protonpay.kernel import faults
from protonpay.kernel.errors import Forbidden, Refusal
from protonpay.payouts import (
    attempts,
    cancelling,
    ceilings,
    cooldown,
    ending,
    screened,
    switches,
    waits,
)
from protonpay.payouts.ceilings import signer
from protonpay.payouts.cooldown import Before
from protonpay.payouts.models import Payout
from protonpay.plans import service as plans
from protonpay.plans.service import Terms
from protonpay.store import outbox
from protonpay.store.db import current, db, release, transaction
from protonpay.store.jobs import Later
from protonpay.users import service as users
from protonpay.users.service import User
from protonpay.wallets import recording
from protonpay.wallets import service as wallets
from protonpay.wallets.recording import Holder
from protonpay.wire.http import NoAnswer

log = structlog.get_logger(__name__)

_ASK_AGAIN_SECONDS = 2
_WAIT_SECONDS = 5


class Signed(NamedTuple):
    """How a look at a payout that waits ended.

    Attributes:
        attempt_ids: what was signed, with this payout in it or only with others.
        later: when the payout is to be looked at again, if it has to wait.
    """

    attempt_ids: Sequence[int] = ()
    later: Later | None = None


def sign(payout_id: str) -> Signed:
    """Sign a payout, and with it others of its network that can be paid after the same look.

    What is signed is for the caller to hand in, at once: a row of its own says so meanwhile.
    """
    leader = db.session.get_one(Payout, payout_id, populate_existing=True)
    if leader.state != "PENDING":
        release()
        return Signed()
    network = leader.network
    chain = chains.get(network)
    holder = recording.holders(network, [leader.wallet_address]).get(leader.wallet_address)
    if holder is not None:
        return Signed(later=_pay_inside(leader, holder))
    orders = _gather(leader, chain.most_together)
    release()
    faults.point("payouts.before_signing", network)
    try:
        prospect = chain.read_terms(orders)
        first = chain.next_sequence()
    except NotReady as waiting:
        # No mark was looked for: what was asked back waits, too.
        return Signed(later=_put_off({payout_id: waiting}).get(payout_id))
    except NoAnswer as unknown:
        waits.note([payout_id], waits.NODE_SILENT)
        return Signed(later=Later(_ASK_AGAIN_SECONDS, repr(unknown)))
    attempt_ids, refused = _store_unless_paused(chain, prospect, first)
    # Of those that were taken along and hindered, their own jobs ask again.
    hindered = cancelling.instead({**prospect.hindered, **refused})
    return Signed(attempt_ids, _put_off(hindered).get(payout_id))


def _pay_inside(payout: Payout, holder: Holder) -> Later | None:
    """Credit whoever holds the payee's address here: the money need not leave to come back."""
    payout_id, network = payout.id, payout.network
    order = SendOrder(payout_id, payout.wallet_address, payout.amount_micro)
    release()
    try:
        refused = _settle_inside(network, order, holder)
    except NotReady as paused:
        refused = {payout_id: paused}
    return _put_off(cancelling.instead(refused)).get(payout_id)


def _settle_inside(
    network: str, order: SendOrder, holder: Holder
) -> Mapping[str, Hindrance | Refusal]:
    """Settle a payout if it may leave; return why not, by payout.

    Only that is an answer. What else is raised, a busy database above all, decides nothing.

    Raises:
        NotReady: payouts are paused.
    """
    with transaction():
        switches.check(network)
        waiting = _locked([order])
        refused: dict[str, Hindrance | Refusal] = {**_look_again(waiting)}
        asked = _free_to_go(waiting, refused)
        refused |= ceilings.without_hold(asked)
        for each in asked:
            if each.id not in refused:
                ending.complete_inside(each.id, holder)
    return refused


def _gather(leader: Payout, most: int) -> list[SendOrder]:
    """Return the payout with others that wait: those ordered after it before those in a jam."""
    family = named_network(leader.network).family
    waiting = (
        select(Payout)
        .where(
            Payout.network == leader.network,
            Payout.state == "PENDING",
            Payout.id != leader.id,
            not_(wallets.is_held(family, Payout.wallet_address)),
        )
        .order_by(Payout.created_at < leader.created_at, Payout.created_at, Payout.id)
        .limit(most - 1)
    )
    return [
        SendOrder(payout.id, payout.wallet_address, payout.amount_micro)
        for payout in (leader, *db.session.scalars(waiting))
    ]


def _put_off(hindered: Mapping[str, Hindrance | Refusal]) -> Mapping[str, Later]:
    """End what will never be sent, write down what the others wait for; return when to look again.

    Args:
        hindered: payout id → why it is not signed now.
    """
    left = {each: _ended(each, why) for each, why in hindered.items()}
    waiting = {each: why for each, why in left.items() if why is not None}
    for code in {why.code for why in waiting.values()}:
        them = [each for each, why in waiting.items() if why.code == code]
        waits.note(them, code)
        log.warning("payout_waits", payout_ids=them, code=code)
    return {each: Later(_WAIT_SECONDS, why.code) for each, why in waiting.items()}


def _ended(payout_id: str, why: Hindrance | Refusal) -> NotReady | None:
    """End a payout that is refused for good, or that the chain shows to be sent.

    Returns:
        What it waits for if that is not so; None if it has ended.
    """
    if isinstance(why, PayeeRefused | Refusal):
        return _given_back(payout_id, why.code)
    if isinstance(why, AlreadySent):
        log.error("payout_found_on_chain", payout_id=payout_id, tx_hash=why.tx_hash)
        if why.tx_hash is not None:
            ending.complete_unsigned(payout_id, why.tx_hash)
            return None
    return why


def _given_back(payout_id: str, code: str) -> NotReady | None:
    """Give back what is held for a payout; of which the book holds something else, nothing."""
    with transaction():
        payouts = [each for each in ending.lock([payout_id]) if each.state == "PENDING"]
        missing = ceilings.without_hold(payouts)
        if not missing:
            ending.fail_unsigned(payout_id, code)
    return missing.get(payout_id)


def _store_unless_paused(
    chain: Chain, prospect: Prospect, first: int | None
) -> tuple[Sequence[int], Mapping[str, Hindrance | Refusal]]:
    try:
        return _store(chain, prospect, first)
    except NotReady as paused:
        payable = [order for each in (prospect, *prospect.further) for order in each.payable]
        return (), dict.fromkeys((order.payout_id for order in payable), paused)


def _store(
    chain: Chain, prospect: Prospect, first: int | None
) -> tuple[Sequence[int], Mapping[str, Hindrance | Refusal]]:
    """Sign under locks and store; return the attempts and what the last check found, by payout.

    Raises:
        NotReady: payouts are paused.
    """
    if not prospect.payable:
        return (), {}
    transactions = (prospect, *prospect.further)
    attempt_ids: Sequence[int] = ()
    refused = dict[str, Hindrance | Refusal]()
    with transaction():
        switches.check(chain.network.name)
        waiting = _locked([order for each in transactions for order in each.payable])
        refused |= _look_again(waiting)
        asked = _free_to_go(waiting, refused)
        refused |= signer.admit(asked)
        admitted = {each.id: each for each in asked if each.id not in refused}
        if admitted:
            attempt_ids = _sign(chain, transactions, first, admitted)
    faults.point("payouts.signed", chain.network.name)
    return attempt_ids, refused


def _locked(orders: Sequence[SendOrder]) -> list[tuple[Payout, User]]:
    """Lock the owners and then the payouts; return those that still wait, in the order given."""
    wanted = [order.payout_id for order in orders]
    theirs = select(Payout.user_id).where(Payout.id.in_(wanted)).distinct()
    owners = users.lock_all(current().scalars(theirs).all())
    found = {payout.id: payout for payout in ending.lock(wanted)}
    waiting = [found[each] for each in wanted if found[each].state == "PENDING"]
    return [(payout, owners[payout.user_id]) for payout in waiting]


def _look_again(waiting: Sequence[tuple[Payout, User]]) -> dict[str, Refusal | NotReady]:
    """Ask once more what was asked at the door, and put on hold whose payee is listed.

    Returns:
        Payout id → why it is not paid: the plan does not allow it (Refusal), or its owner's
        account is frozen or suspended (NotReady).
    """
    earlier = cooldown.before_each([payout.id for payout, _ in waiting])
    timelines = {plan: plans.timeline(plan) for plan in {owner.plan for _, owner in waiting}}
    refused: dict[str, Refusal | NotReady] = {}
    for payout, owner in waiting:
        # As they were when it was accepted: what was announced for later holds for later ones. Plan
        # and level are the owner's of now: they change by a decision about them, which holds at
        # once.
        terms = timelines[owner.plan].at(payout.created_at).at_level(owner.identity_level)
        try:
            _check_again(payout, owner, terms, earlier[payout.id])
        except (Refusal, NotReady) as why:
            refused[payout.id] = why
        else:
            screened.hold(payout)
    return refused


def _free_to_go(
    waiting: Sequence[tuple[Payout, User]], refused: Mapping[str, Hindrance | Refusal]
) -> list[Payout]:
    # One that is listed by now was put on hold instead.
    return [each for each, _ in waiting if each.id not in refused and each.state == "PENDING"]


def _check_again(payout: Payout, owner: User, terms: Terms, earlier: Before) -> None:
    if payout.source is not None:
        return  # nobody's withdrawal
    # Not asked again: what nobody loses (a verified address, an approved identity), and the address
    # book, whose owner can cancel what it would not let pass any more.
    cancelling.check(payout)
    try:
        users.check_may_spend(owner)
    except Forbidden as stopped:
        raise NotReady(stopped.code, f"{payout.id} waits until its owner may spend") from stopped
    cooldown.check_single(terms, payout.amount_micro)
    cooldown.check_day(terms, earlier, payout.amount_micro)
    cooldown.check_cooldown(terms, earlier)


def _sign(
    chain: Chain,
    transactions: Sequence[Prospect],
    first: int | None,
    admitted: Mapping[str, Payout],
) -> Sequence[int]:
    sends = []
    for each in transactions:
        orders = [order for order in each.payable if order.payout_id in admitted]
        if orders:
            replaced = None if first is None else attempts.free_sequence(chain)
            sequence = attempts.take_sequence(chain, first, replaced)
            sends.append(chain.sign(orders, each.terms, sequence, replaced))
    faults.point("payouts.bytes_made", chain.network.name)
    attempt_ids = attempts.store(chain, sends)
    for payout in admitted.values():
        waits.forget(payout)
    current().flush()
    for send in sends:
        ending.move(send.payout_ids, "PENDING", "SIGNED", tx_hash=send.tx_hash)
    # What is signed needs no job of its own any more: it would only find that out.
    outbox.finish("payouts.sign", "payout_id", [*admitted])
    outbox.add_begun("payouts.broadcast", [{"attempt_id": each} for each in attempt_ids])
    return attempt_ids
