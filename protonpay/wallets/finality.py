"""When a transfer may be credited: by the node's tag, by its amount, and by a second node.

A small deposit is credited at the network's tag for small ones (``safe`` on Base), a large one
at ``finalized``. That a block is final is one machine's word; where a node of another
provider is configured, a large deposit waits until that one shows it in the same final
block. Until then it is seen and not final, which costs time and nothing else.
"""

from collections.abc import Mapping, Sequence

import structlog

from protonpay.chains.registry import chains
from protonpay.chains.watch import Arrival, BlockWatch, Reach
from protonpay.kernel.money import Usdc
from protonpay.wallets.recording import Holder
from protonpay.wire.http import NoAnswer

log = structlog.get_logger(__name__)

Verdict = tuple[list[Arrival], list[Arrival]]
"""What may be credited, and what has to wait."""


def judge(
    network: str, arrivals: Sequence[Arrival], held: Mapping[str, Holder], reach: Reach
) -> Verdict:
    """Tell which transfers to addresses of ours may be credited now; no transaction is open.

    A second node that does not answer lets them wait; it never holds up the others.
    """
    ours = [one for one in arrivals if one.address in held]
    reached = [one for one in ours if is_due(network, one.amount, one.block, reach)]
    large = [one for one in reached if is_large(network, one.amount)]
    small = [one for one in reached if not is_large(network, one.amount)]
    credited = {*small, *_agreed(network, large)}
    return [one for one in ours if one in credited], [one for one in ours if one not in credited]


def is_large(network: str, amount: Usdc) -> bool:
    """Tell whether a transfer waits until its network calls it final."""
    return amount > chains.large(network)


def is_due(network: str, amount: Usdc, block: int, reach: Reach) -> bool:
    """Tell whether a transfer seen in a block would be credited if it is still there."""
    return block <= (reach.final if is_large(network, amount) else reach.small).height


def _agreed(network: str, large: Sequence[Arrival]) -> Sequence[Arrival]:
    second = chains.second_watch(network) if large else None
    if second is None:
        return large
    try:
        return _shown_by(second, network, large)
    except NoAnswer as unknown:
        log.warning("second_node_unknown", network=network, error=repr(unknown))
        return []


def _shown_by(second: BlockWatch, network: str, large: Sequence[Arrival]) -> Sequence[Arrival]:
    final = second.reach().final.height
    reached = [one for one in large if one.block <= final]
    there = set(second.arrivals(sorted({one.tx_hash for one in reached})))
    for one in reached:
        if one not in there:
            log.error(
                "second_node_disagrees", network=network, tx_hash=one.tx_hash, block=one.block
            )
    return [one for one in reached if one in there]
