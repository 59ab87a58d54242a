"""Hand signed bytes in and ask what became of them; every step may run twice.

No step holds a lock while it waits for a node. Each begins by looking where the payouts
stand and ends with a compare-and-set, so a step that runs twice moves nothing twice; the
book refuses a second posting by its reference, the chain a second send by the payout's mark.
"""

from collections.abc import Mapping
from datetime import timedelta

import structlog

from protonpay.chains.port import Chain, NotReady, SendOutcome, SendState, SignedSend
from protonpay.chains.registry import NETWORKS, chains
from protonpay.kernel import faults
from protonpay.payouts import attempts, ending, switches
from protonpay.payouts.ending import End
from protonpay.store import beats, outbox
from protonpay.store.db import transaction
from protonpay.store.jobs import Later
from protonpay.wire.http import NoAnswer

log = structlog.get_logger(__name__)

OUTBID_AFTER = timedelta(seconds=60)
"""How long bytes may lie unmined before the fees are raised: thirty blocks of Base or Polygon."""
_LOOK_AGAIN_SECONDS = 1
_ASK_AGAIN_SECONDS = 2
_OURS = frozenset({"treasury_short", "gas_short"})


def broadcast(attempt_id: int) -> Later | None:
    """Hand the stored bytes to the node; asking what became of them comes next either way."""
    found = attempts.read_open(attempt_id, "SIGNED", "SENT")
    if found is None:
        return None
    network, send = found
    faults.point("payouts.before_broadcast", network)
    try:
        chains.get(network).broadcast(send)
    except NoAnswer as unknown:
        log.warning("broadcast_unknown", tx_hash=send.tx_hash, error=repr(unknown))
    faults.point("payouts.broadcast", network)
    with transaction():
        if ending.move(send.payout_ids, "SIGNED", "SENT"):
            outbox.add("payouts.confirm", delay_seconds=_LOOK_AGAIN_SECONDS, attempt_id=attempt_id)
    faults.point("payouts.sent", network)
    return None


def confirm(attempt_id: int) -> Later | None:
    """Ask what became of each payment; settle, release or sign anew on a final answer only.

    Of payouts whose newest send is not handed over yet, its own broadcast asks next.
    """
    found = attempts.read_open(attempt_id, "SENT")
    if found is None:
        return None
    network, send = found
    chain = chains.get(network)
    try:
        outcomes = chain.outcomes(send)
        waiting = [each for each in outcomes.values() if each.state is SendState.WAITING]
        if any(not each.seen for each in waiting):
            chain.broadcast(send)
        if waiting and attempts.stuck(attempt_id, OUTBID_AFTER):
            _outbid(attempt_id, chain, send)
    except NoAnswer as unknown:
        return Later(_ASK_AGAIN_SECONDS, repr(unknown))
    faults.point("payouts.outcome_known", network)
    _end(attempt_id, network, outcomes)
    faults.point("payouts.ended", network)
    if waiting:
        reasons = sorted({each.reason for each in waiting if each.reason})
        return Later(_LOOK_AGAIN_SECONDS, ", ".join(reasons) or "not final")
    return None


def _outbid(attempt_id: int, chain: Chain, send: SignedSend) -> None:
    """Store dearer bytes beside those that are not mined; the next look hands them in."""
    dearer = chain.outbid(send)
    if dearer is None:
        return
    try:
        with transaction():
            switches.check(chain.network.name)
            stored = attempts.outbid(attempt_id, dearer)
    except NotReady:
        return  # paused: nothing new is signed out into the world
    if stored:
        faults.point("payouts.outbid", chain.network.name)
        log.warning("payout_outbid", tx_hash=dearer.tx_hash, instead_of=send.tx_hash)


def look_at_heads() -> None:
    """Note how far each network's node is; one that does not answer grows old."""
    for name in NETWORKS:
        try:
            head = chains.get(name).head()
        except NoAnswer as unknown:
            log.warning("node_silent", network=name, error=repr(unknown))
            continue
        beats.note_head(
            name, latest=head.latest, finalized=head.finalized, finalized_at=head.finalized_at
        )


def _end(attempt_id: int, network: str, outcomes: Mapping[str, SendOutcome]) -> None:
    """Book every final outcome in one transaction."""
    final = {
        payout_id: outcome
        for payout_id, outcome in outcomes.items()
        if outcome.state is not SendState.WAITING
    }
    if not final:
        return
    with transaction():
        ended = attempts.end(attempt_id, final)
        _book({payout_id: final[payout_id] for payout_id in sorted(ended)})
        # One look, one nonce: if one of them says that it is free, it is.
        used = all(outcome.sequence_used for outcome in final.values())
        attempts.close(attempt_id, sequence_used=used)
        faults.point("payouts.settling", network)


def _book(outcomes: Mapping[str, SendOutcome]) -> None:
    ends, anew = dict[str, End](), list[str]()
    for payout_id, outcome in outcomes.items():
        if outcome.state is SendState.LANDED:
            ends[payout_id] = End(tx_hash=outcome.tx_hash)
        elif outcome.state is SendState.FAILED and outcome.reason not in _OURS:
            ends[payout_id] = End(code=outcome.reason or "refused_on_chain")
        else:
            # Lost, or refused on chain for want of our own funds: no reason for the payee to lose.
            anew.append(payout_id)
    if ends:
        ending.end(ends)
    if anew:
        ending.sign_anew(anew)
