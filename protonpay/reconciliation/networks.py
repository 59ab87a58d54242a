"""A network: every deposit address and the treasury, as of one final block, beside the book.

Two kinds of places, each with a sum of its own:

* An address has what final transfers up to the block brought to it, less what was swept.
* The treasury has what was put in and swept in, less the payouts that had left at the block.
  Which had left is asked of the chain by their marks at that very block: a payout that is on
  chain and not yet booked, or booked and not yet in the block, is explained to the millionth.

So nothing that is under way is a difference, however much is. On EVM networks the block is the
one up to which the watch has read: every transfer in it is known. Solana answers for its present
only; there an address may be a moment ahead of the watch, which is then asked to look.
"""

from collections.abc import Mapping
from typing import Any

from protonpay.chains.registry import chains
from protonpay.chains.registry import network as named_network
from protonpay.chains.snapshot import FinalBlock
from protonpay.kernel.money import ZERO
from protonpay.ledger import chart
from protonpay.reconciliation import books
from protonpay.reconciliation.cases import Finding
from protonpay.reconciliation.looks import Beginning, Part
from protonpay.store.db import release
from protonpay.treasury import service as sweeps
from protonpay.wire.http import NoAnswer

# A block's time is the network's clock, and settlements are dated by ours.
_CLOCKS_DIFFER = 300


def begin(network: str) -> Beginning:
    """Compare the treasury, and the book with itself.

    Raises:
        NoAnswer: unknown: the node is silent, or no watch has begun.
    """
    block = _block(network)
    book = books.of_network(network, block.time - _CLOCKS_DIFFER)
    release()
    asked = sorted({*book.open, *book.settled})
    treasury = chains.snapshot(network).treasury(block, asked)
    swept = sweeps.swept_in_all(network, treasury.height).micro
    left = sum(micro for one, micro in book.open.items() if one in treasury.paid)
    stays = sum(micro for one, micro in book.settled.items() if one not in treasury.paid)
    expected = -book.booked - book.credited + swept - left + stays
    findings = [
        *_treasury(treasury.balance.micro, expected, block),
        *_custody(network, book.balance, book.booked),
        *_orphans(network),
        *_unfollowed(network),
    ]
    at = {"height": block.height, "time": block.time, "name": block.name}
    return Beginning(at, findings, ours=expected, theirs=treasury.balance.micro)


def go_on(network: str, _number: int, at: Mapping[str, Any], cursor: str | None) -> Part:
    """Compare the next addresses.

    Raises:
        NoAnswer: unknown, for all of them.
    """
    snapshot = chains.snapshot(network)
    family = named_network(network).family
    rows = books.addresses(family, int(cursor or -1), snapshot.at_once)
    release()
    if not rows:
        return Part(None, 0)
    on = [address for _, address in rows]
    there = snapshot.balances(FinalBlock(at["height"], at["time"], at["name"]), on)
    arrived = books.arrived(network, on, there.height)
    swept = sweeps.swept(network, there.height, on)
    expected = {one: arrived.get(one, 0) - swept.get(one, ZERO).micro for one in on}
    findings = [
        _address(one, there.micro[one], expected[one], there.height)
        for one in on
        if there.micro[one] != expected[one]
    ]
    return Part(
        cursor=str(rows[-1][0]) if len(rows) == snapshot.at_once else None,
        compared=len(rows),
        findings=findings,
        ours=sum(expected.values()),
        theirs=sum(there.micro[one] for one in on),
        after=lambda new: books.look_soon(network, new),
    )


def _block(network: str) -> FinalBlock:
    snapshot = chains.snapshot(network)
    if named_network(network).by_account:
        release()
        return snapshot.block(None)
    height = books.watched_up_to(network)
    release()
    if height is None:
        raise NoAnswer("no watch of this network has begun")
    return snapshot.block(height)


def _treasury(there: int, expected: int, block: FinalBlock) -> list[Finding]:
    if there == expected:
        return []
    kind = "treasury_deficit" if there < expected else "treasury_surplus"
    evidence = {"book": expected, "chain": there, "block": block.height}
    return [Finding(kind, "treasury", evidence)]


def _custody(network: str, balance: int, booked: int) -> list[Finding]:
    if balance == booked:
        return []
    evidence = {"balance": balance, "postings": booked}
    return [Finding("balance_tampered", chart.custody(network), evidence)]


def _orphans(network: str) -> list[Finding]:
    return [
        Finding("credit_without_transfer", reference, {"micro": micro})
        for reference, micro in books.credits_without_transfer(network)
    ]


def _unfollowed(network: str) -> list[Finding]:
    return [
        Finding(
            "deposit_missing" if is_booked else "transfer_not_credited",
            incoming_id,
            {"micro": micro, "address": address, "txHash": tx_hash},
        )
        for incoming_id, micro, address, tx_hash, is_booked in books.unfollowed(network)
    ]


def _address(address: str, there: int, expected: int, height: int) -> Finding:
    kind = "address_deficit" if there < expected else "address_surplus"
    return Finding(kind, address, {"rows": expected, "chain": there, "block": height})
