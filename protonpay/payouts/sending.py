"""Hand signed bytes in and ask what became of them; every step may run twice.

No step holds a lock while it waits for a node. Each begins by looking where the payouts
stand and ends with a compare-and-set, so a step that runs twice moves nothing twice; the
book refuses a second posting by its reference, the chain a second send by the payout's mark.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta

import structlog

from protonpay.chains.port import MOST_LOOKED_AT, NotReady, SendOutcome, SendState
from protonpay.chains.registry import NETWORKS, chains
from protonpay.kernel import clock, faults
from protonpay.payouts import attempts, ending, switches
from protonpay.payouts.attempts import OpenSend
from protonpay.payouts.ending import End
from protonpay.store import alongside, beats, outbox
from protonpay.store.db import transaction
from protonpay.store.jobs import Later
from protonpay.wire.http import NoAnswer

log = structlog.get_logger(__name__)

OUTBID_AFTER = timedelta(seconds=60)
"""How long bytes may lie unmined before the fees are raised: thirty blocks of Base or Polygon."""
_ASK_AGAIN_SECONDS = 2
_HAND_IN_AGAIN_SECONDS = 1
# Finality takes a second or twenty minutes: asked about a tenth later than it is old.
_SOONEST_SECONDS, _LATEST_SECONDS = 0.15, 15
_PART_OF_AGE = 10
_BOOKED_TOGETHER = 200
_NOT_FINAL = "not final"
_OURS = frozenset({"treasury_short", "treasury_frozen", "gas_short"})


def broadcast(*attempt_ids: int) -> None:
    """Hand stored bytes to the node; asking what became of them comes next either way."""
    found = attempts.read_all_open(attempt_ids, "SIGNED", "SENT")
    for each in found:
        _hand_in(each)
    if not found:
        return
    with transaction():
        every = [payout_id for each in found for payout_id in each.send.payout_ids]
        moved = ending.move(every, "SIGNED", "SENT")
        sent = [each.attempt_id for each in found if not moved.isdisjoint(each.send.payout_ids)]
        asked = [{"attempt_id": attempt_id} for attempt_id in sent]
        outbox.add_each("payouts.confirm", asked, delay_seconds=_SOONEST_SECONDS)
        # The signer hands in itself, without these rows' jobs.
        outbox.finish("payouts.broadcast", "attempt_id", [str(each) for each in sent])
    faults.point("payouts.sent", found[0].network)


def _hand_in(each: OpenSend) -> None:
    faults.point("payouts.before_broadcast", each.network)
    try:
        chains.get(each.network).broadcast(each.send)
    except NoAnswer as unknown:
        log.warning("broadcast_unknown", tx_hash=each.send.tx_hash, error=repr(unknown))
    faults.point("payouts.broadcast", each.network)


def confirm(attempt_id: int) -> Later | None:
    """Ask what became of each payment; settle, release or sign anew on a final answer only.

    Other attempts on the network that are due by now are asked about along with this one. Of
    payouts whose newest send is not handed over yet, its own broadcast asks next.
    """
    looked = _gather(attempt_id)
    if not looked:
        return None
    network = looked[0].network
    chain = chains.get(network)
    try:
        outcomes = chain.outcomes(*(each.send for each in looked))
    except NoAnswer as unknown:
        return _come_again(looked, dict.fromkeys(looked, _ASK_AGAIN_SECONDS), repr(unknown))
    faults.point("payouts.outcome_known", network)
    _end_all(looked, outcomes)
    faults.point("payouts.ended", network)
    waiting = {each: found for each in looked if (found := _waiting(each, outcomes))}
    _have_outbid([each for each in waiting if _is_stuck(each)])
    try:
        for each, found in waiting.items():
            if any(not outcome.seen for outcome in found):
                chain.broadcast(each.send)
    except NoAnswer as unknown:
        return _come_again(looked, dict.fromkeys(waiting, _ASK_AGAIN_SECONDS), repr(unknown))
    return _look_again(looked, waiting)


def outbid(attempt_id: int) -> Later | None:
    """Sign the same payments for more, if a node does not mine them, and hand that in.

    Its own job, because it signs: of the two that serve payouts, one process has the keys.
    """
    found = attempts.read_open(attempt_id, "SENT")
    if found is None or not _is_stuck(found):
        return None
    chain = chains.get(found.network)
    try:
        dearer = chain.outbid(found.send)
    except NoAnswer as unknown:
        return Later(_ASK_AGAIN_SECONDS, repr(unknown))
    if dearer is None:
        return None
    try:
        with transaction():
            switches.check(chain.network.name)
            stored = attempts.outbid(attempt_id, dearer)
    except NotReady:
        return None  # paused: nothing new is signed out into the world
    if not stored:
        return None
    faults.point("payouts.outbid", chain.network.name)
    log.warning("payout_outbid", tx_hash=dearer.tx_hash, instead_of=found.send.tx_hash)
    broadcast(attempt_id)
    return None


def _gather(attempt_id: int) -> list[OpenSend]:
    """Return the attempt, if it is open, with those of its network that are due to be asked about.

    One that nobody answered for the last time comes alone, by its own job: should it be the
    reason, it holds up no other for long.
    """
    soon = clock.now() + timedelta(seconds=_SOONEST_SECONDS)
    due = alongside.due(
        "payouts.confirm", "attempt_id", until=soon, waits=_NOT_FINAL, limit=MOST_LOOKED_AT
    )
    others = [each for each in map(int, due) if each != attempt_id][: MOST_LOOKED_AT - 1]
    found = attempts.read_all_open([attempt_id, *others], "SENT")
    if not found or found[0].attempt_id != attempt_id:
        return []
    return [each for each in found if each.network == found[0].network]


def _waiting(each: OpenSend, outcomes: Mapping[str, SendOutcome]) -> list[SendOutcome]:
    found = [outcomes[payout_id] for payout_id in each.send.payout_ids]
    return [outcome for outcome in found if outcome.state is SendState.WAITING]


def _is_stuck(each: OpenSend) -> bool:
    return clock.now() - each.since >= OUTBID_AFTER


def _have_outbid(stuck: Sequence[OpenSend]) -> None:
    if not stuck:
        return
    with transaction():
        ids = [str(each.attempt_id) for each in stuck]
        for attempt_id in alongside.nowhere("payouts.outbid", "attempt_id", ids):
            outbox.add("payouts.outbid", attempt_id=int(attempt_id))


def _look_again(
    looked: Sequence[OpenSend], waiting: Mapping[OpenSend, Sequence[SendOutcome]]
) -> Later | None:
    """Say when each that is not final is asked about again; of the first, to its own job."""
    later = None
    alike = defaultdict[str, dict[OpenSend, float]](dict)
    for each, found in waiting.items():
        part = ((clock.now() - each.since) // _PART_OF_AGE).total_seconds()
        seconds = min(max(part, _SOONEST_SECONDS), _LATEST_SECONDS)
        if any(not outcome.seen for outcome in found):
            seconds = max(seconds, _HAND_IN_AGAIN_SECONDS)
        reasons = sorted({outcome.reason for outcome in found if outcome.reason})
        alike[", ".join(reasons) or _NOT_FINAL][each] = seconds
    for reason, seconds_of in alike.items():
        later = _come_again(looked, seconds_of, reason) or later
    return later


def _come_again(
    looked: Sequence[OpenSend], seconds_of: Mapping[OpenSend, float], reason: str
) -> Later | None:
    """Put off the rows of those that were taken along; answer for the first, if it is there."""
    others = {str(each.attempt_id): seconds_of[each] for each in seconds_of if each != looked[0]}
    if others:
        with transaction():
            alongside.put_off("payouts.confirm", "attempt_id", others, reason)
    return Later(seconds_of[looked[0]], reason) if looked[0] in seconds_of else None


def look_at_heads() -> None:
    """Note how far each network's node is; one that does not answer grows old."""
    for name in NETWORKS:
        try:
            head = chains.get(name).head()
        except NoAnswer as unknown:
            log.warning("node_silent", network=name, error=repr(unknown))
            continue
        beats.note_head(name, **asdict(head))


def _end_all(looked: Sequence[OpenSend], outcomes: Mapping[str, SendOutcome]) -> None:
    """Book every final outcome, those of a few attempts in one transaction."""
    some, count = dict[OpenSend, dict[str, SendOutcome]](), 0
    for each in sorted(looked, key=lambda open_send: open_send.attempt_id):
        final = {
            payout_id: outcomes[payout_id]
            for payout_id in each.send.payout_ids
            if outcomes[payout_id].state is not SendState.WAITING
        }
        if some and count + len(final) > _BOOKED_TOGETHER:
            _end(looked[0], some)
            some, count = {}, 0
        if final:
            some[each] = final
            count += len(final)
    if some:
        _end(looked[0], some)


def _end(first: OpenSend, finals: Mapping[OpenSend, Mapping[str, SendOutcome]]) -> None:
    with transaction():
        ended = attempts.end({each.attempt_id: final for each, final in finals.items()})
        known = {payout_id: each for final in finals.values() for payout_id, each in final.items()}
        _book({payout_id: known[payout_id] for payout_id in sorted(ended)})
        # One look, one nonce: if one of them says that it is free, it is.
        attempts.close(
            {
                each.attempt_id: all(outcome.sequence_used for outcome in final.values())
                for each, final in finals.items()
            }
        )
        done = [
            str(each.attempt_id)
            for each, final in finals.items()
            if each != first and len(final) == len(each.send.payout_ids)
        ]
        if done:
            outbox.finish("payouts.confirm", "attempt_id", done)
        faults.point("payouts.settling", first.network)


def _book(outcomes: Mapping[str, SendOutcome]) -> None:
    ends, anew = dict[str, End](), list[str]()
    for payout_id, outcome in outcomes.items():
        if outcome.state is SendState.LANDED:
            ends[payout_id] = End(tx_hash=outcome.tx_hash)
        elif outcome.state is SendState.FAILED and outcome.reason not in _OURS:
            ends[payout_id] = End(code=outcome.reason or "refused_on_chain")
        else:
            # Lost, or refused on chain for our own wallets' sake: no reason for the payee to lose.
            anew.append(payout_id)
    if ends and anew:
        ending.lock(outcomes)  # all of them in their order, before some and then others
    if ends:
        ending.end(ends)
    if anew:
        ending.sign_anew(anew)
