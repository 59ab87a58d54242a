"""What a transaction was to us: for whoever asks where their money is.

Compares what the network tells of one transaction with our rows, address by address, and ends
with one of a closed list of verdicts. It changes nothing, and what it does not know it says.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from protonpay.chains.inspection import NATIVE, USDC, Inspected, Standing, Touch
from protonpay.chains.registry import NETWORKS, chains
from protonpay.kernel.errors import Invalid
from protonpay.kernel.money import Usdc
from protonpay.reconciliation import books, traces
from protonpay.reconciliation.traces import Transfer
from protonpay.wire.http import NoAnswer


class Verdict(StrEnum):
    """What one transfer was to us. ``docs/chains.md`` says what to do about each."""

    CREDITED = "CREDITED"
    ON_HOLD = "ON_HOLD"
    RETURNED = "RETURNED"
    WAITS = "WAITS"
    NOT_READ_YET = "NOT_READ_YET"
    NOT_RECORDED = "NOT_RECORDED"
    VANISHED = "VANISHED"
    NOTHING_MOVED = "NOTHING_MOVED"
    LOOK_ALIKE = "LOOK_ALIKE"
    OTHER_TOKEN = "OTHER_TOKEN"  # noqa: S105 - a token of a chain
    NATIVE_COIN = "NATIVE_COIN"
    OUR_PAYOUT = "OUR_PAYOUT"
    OUR_SWEEP = "OUR_SWEEP"
    OUR_WALLET = "OUR_WALLET"
    NOBODYS_YET = "NOBODYS_YET"
    NOT_OURS = "NOT_OURS"
    FAILED = "FAILED"
    PENDING = "PENDING"
    NOT_FOUND = "NOT_FOUND"
    UNKNOWN = "UNKNOWN"


SAID = {
    Verdict.CREDITED: "credited to its holder",
    Verdict.ON_HOLD: "its sender is on the screening list: `flask ops holds`",
    Verdict.RETURNED: "was on hold and is sent back to its sender",
    Verdict.WAITS: "seen; credited when it is final",
    Verdict.NOT_READ_YET: "the watch has not come to its block yet",
    Verdict.NOT_RECORDED: "final, and the watch has passed it: reconciliation names it",
    Verdict.VANISHED: "was seen, and a reorg took it out",
    Verdict.NOTHING_MOVED: "a transfer of nothing, as made to plant an address in a history",
    Verdict.LOOK_ALIKE: "a token taken for USDC that is not: not credited; lies on the address",
    Verdict.OTHER_TOKEN: "another token: not credited; lies on the address",
    Verdict.NATIVE_COIN: "the network's own coin: not credited; lies on the address",
    Verdict.OUR_PAYOUT: "a payout of ours",
    Verdict.OUR_SWEEP: "a sweep of ours from deposit addresses to the treasury",
    Verdict.OUR_WALLET: "went to a wallet of the house: `flask ops book-capital` if it was you",
    Verdict.NOBODYS_YET: "our address, which nobody has been given yet: never credited to anybody",
    Verdict.NOT_OURS: "nothing for an address of ours",
    Verdict.FAILED: "failed on chain: nothing moved",
    Verdict.PENDING: "in no block that stands: wait",
    Verdict.NOT_FOUND: "the node knows no such transaction: not sent, or dropped",
    Verdict.UNKNOWN: "the node did not answer: ask again",
}
"""Each verdict in words for a terminal."""


@dataclass(frozen=True, slots=True)
class Explained:
    """One transfer of the transaction, or the transaction as a whole where none is named.

    Attributes:
        amount: USDC as written in the API; else whole smallest units of the asset.
        asset: ``USDC``, ``native``, or a token's contract or mint, with the name it gives itself.
        holder: ``user <id>`` or ``invoice <id>``.
        more: what only this one has to say.
    """

    verdict: Verdict
    address: str | None = None
    amount: str | None = None
    asset: str | None = None
    holder: str | None = None
    more: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a transaction was to us.

    Attributes:
        network: where it is: not always where it was looked for.
    """

    network: str
    tx_hash: str
    standing: Standing | None
    block: int | None
    lines: Sequence[Explained]


def explain(network: str, tx_hash: str, address: str | None = None) -> Explanation:
    """Say what a transaction was to us.

    Args:
        network: where it is said to be; others of its family are asked, too, when it is not.
        tx_hash: its name there.
        address: only what it did to this address.

    Raises:
        Invalid: no such network (``unsupported_network``), or no name of a transaction of it
            (``not_a_transaction``).
    """
    named = chains.inspector(network).canonical(tx_hash)
    if named is None:
        said = "This is not the hash of a transaction of {network}."
        raise Invalid("not_a_transaction", said, network=network)
    first = _look(network, named, address)
    if first.lines[0].verdict not in (Verdict.NOT_FOUND, Verdict.UNKNOWN):
        return first
    family = NETWORKS[network].family
    others = [name for name, one in NETWORKS.items() if one.family == family and name != network]
    looked = [first]
    for other in others:
        looked.append(_look(other, named, address))
        if looked[-1].standing not in (None, Standing.MISSING):
            return looked[-1]
    # Where nobody answered it may be all the same: only all of them together can say no.
    return next((each for each in looked if each.standing is None), first)


def _look(network: str, name: str, address: str | None) -> Explanation:
    # A transaction may pay one address the same amount twice: each is a row of its own.
    rows = traces.transfers_of(network, name)
    standing, block = None, None
    try:
        inspected = chains.inspector(network).inspect(name)
    except NoAnswer as error:
        lines = [_row(row) for row in rows]
        lines.append(Explained(Verdict.UNKNOWN, more=str(error)))
    else:
        standing, block = inspected.standing, inspected.block
        lines = [*_lines(network, name, inspected, rows), *map(_row, rows)]
        lines = lines or [Explained(_WHOLE.get(standing, Verdict.NOT_OURS))]
    if address is not None:
        lines = [line for line in lines if line.address in (None, address)] or [
            Explained(Verdict.NOT_OURS, address=address)
        ]
    return Explanation(network, name, standing, block, lines)


def _lines(
    network: str, name: str, inspected: Inspected, rows: list[Transfer]
) -> Iterator[Explained]:
    """Name what concerns us, and take from the rows those that a touch explains."""
    sent = traces.sent_by_us(network, name)
    if sent is not None:
        kind, number = sent
        verdict = Verdict.OUR_PAYOUT if kind == "payout" else Verdict.OUR_SWEEP
        yield Explained(verdict, more=f"{kind} {number}, on chain {inspected.standing}")
    held = traces.deposit_addresses(network, [touch.address for touch in inspected.touches])
    wallets = chains.own_wallets(NETWORKS[network])
    read_to = books.watched_up_to(network)
    for touch in inspected.touches:
        row = next((one for one in rows if _is_of(touch, one)), None)
        if row is not None:
            rows.remove(row)
            yield _row(row)
        elif touch.address in held:
            # Where accounts are read one by one, no mark says that this one has been.
            passed = (
                inspected.standing is Standing.FINAL
                and not NETWORKS[network].by_account
                and read_to is not None
                and (inspected.block or 0) <= read_to
            )
            yield _to_holder(network, touch, held[touch.address], passed=passed)
        elif touch.address in wallets and sent is None:
            yield _explained(Verdict.OUR_WALLET, touch)


def _is_of(touch: Touch, row: Transfer) -> bool:
    return (touch.asset, touch.address, touch.amount) == (USDC, row.address, row.amount.micro)


def _to_holder(network: str, touch: Touch, holder: str | None, *, passed: bool) -> Explained:
    """Say what became of something at a deposit address that no row of ours speaks of."""
    if touch.amount == 0:
        verdict = Verdict.NOTHING_MOVED
    elif touch.asset == NATIVE:
        verdict = Verdict.NATIVE_COIN
    elif touch.asset != USDC:
        verdict = Verdict.LOOK_ALIKE if _pretends(network, touch) else Verdict.OTHER_TOKEN
    elif holder is None:
        verdict = Verdict.NOBODYS_YET
    else:
        verdict = Verdict.NOT_RECORDED if passed else Verdict.NOT_READ_YET
    return _explained(verdict, touch, holder)


def _pretends(network: str, touch: Touch) -> bool:
    """Tell whether a token is one that is taken for USDC: bridged, or named after it."""
    letters = unicodedata.normalize("NFKD", touch.named or "").upper()
    return touch.asset in NETWORKS[network].refused or "USDC" in letters or "USD COIN" in letters


def _explained(verdict: Verdict, touch: Touch, holder: str | None = None) -> Explained:
    usdc = touch.asset == USDC
    return Explained(
        verdict,
        address=touch.address,
        amount=str(Usdc(touch.amount)) if usdc else str(touch.amount),
        asset=touch.asset if touch.named is None else f"{touch.asset} ({touch.named})",
        holder=holder,
    )


def _row(row: Transfer) -> Explained:
    """Say how a transfer stands that we have written down."""
    if row.follows in _FOLLOWED:
        verdict = _FOLLOWED[row.follows]
    else:
        verdict = Verdict.VANISHED if row.state == "VANISHED" else Verdict.WAITS
    return Explained(
        verdict,
        address=row.address,
        amount=str(row.amount),
        asset=USDC,
        holder=row.holder,
        more=f"transfer {row.id} is {row.state}, what follows from it {row.follows or 'not begun'}",
    )


_WHOLE = {
    Standing.MISSING: Verdict.NOT_FOUND,
    Standing.PENDING: Verdict.PENDING,
    Standing.FAILED: Verdict.FAILED,
}
_FOLLOWED = {
    "CONFIRMED": Verdict.CREDITED,
    "CREDITED": Verdict.CREDITED,
    "ON_HOLD": Verdict.ON_HOLD,
    "RETURNED": Verdict.RETURNED,
}
"""What a deposit (of a user) or a payment (of an invoice) has become."""
