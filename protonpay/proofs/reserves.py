"""Read what our addresses hold, for a head that was taken. What is not known stays unknown.

The treasury is read first, then the deposit addresses: what a sweep moves meanwhile is missed
and never counted twice. On EVM networks all are read at one block; on Solana, where only the
present can be asked about, each answer says its slot.
"""

from collections.abc import Iterator, Sequence

import structlog
from sqlalchemy import func, select

from protonpay.chains.registry import NETWORKS, chains
from protonpay.chains.snapshot import Snapshot
from protonpay.kernel.money import Usdc
from protonpay.proofs.digests import NetworkTotal, Reserve
from protonpay.proofs.models import Head, ReserveRow
from protonpay.store import db
from protonpay.store.db import release, transaction
from protonpay.wallets import service as wallets
from protonpay.wire.http import NoAnswer

log = structlog.get_logger(__name__)

TREASURY, DEPOSIT = "treasury", "deposit"
_QUESTIONS = 20
"""How many a round asks of one network."""
_KNOWN = """
    UPDATE proof_reserves r SET block = %(block)s, amount_micro = u.micro
    FROM unnest(%(addresses)s::text[], %(amounts)s::bigint[]) AS u (address, micro)
    WHERE r.head = %(head)s AND r.network = %(network)s AND r.address = u.address
    AND r.amount_micro IS NULL
    AND EXISTS (SELECT FROM proof_heads h WHERE h.number = r.head AND h.published_at IS NULL)
"""


def wanted() -> Iterator[Reserve]:
    """Return every address that may hold something of ours, nothing known of any."""
    for name, network in NETWORKS.items():
        treasury = chains.addresses().treasury[network.family]
        yield Reserve(name, treasury, TREASURY, None, None)
        for address in wallets.ever_paid(name):
            if address != treasury:
                yield Reserve(name, address, DEPOSIT, None, None)


def read() -> int:
    """Go on reading for the heads that wait; return how many addresses were answered for."""
    return sum(_read_network(number, name) for number, name in _waiting())


def of_head(number: int) -> list[Reserve]:
    """Return what is known of a head's reserves, by network and address."""
    rows = db.db.session.scalars(select(ReserveRow).filter_by(head=number))
    found = [
        Reserve(row.network, row.address, row.role, row.block, row.amount_micro) for row in rows
    ]
    # As bytes order them, whatever the database's locale is.
    return sorted(found, key=lambda each: (each.network, each.address))


def totals(reserves: Sequence[Reserve]) -> list[NetworkTotal]:
    """Add up what is known, by network."""
    found = []
    for name in sorted({reserve.network for reserve in reserves}):
        here = [reserve for reserve in reserves if reserve.network == name]
        blocks = [reserve.block for reserve in here if reserve.block is not None]
        micro = sum(reserve.amount.micro for reserve in here if reserve.amount is not None)
        first, last = min(blocks, default=None), max(blocks, default=None)
        found.append(
            NetworkTotal(name, len(here), len(here) - len(blocks), first, last, Usdc(micro))
        )
    return found


def _waiting() -> Sequence[tuple[int, str]]:
    """Return heads that are not published with the networks that something is unknown on."""
    unknown = (
        select(ReserveRow.head, ReserveRow.network)
        .join(Head, Head.number == ReserveRow.head)
        .where(Head.published_at.is_(None), ReserveRow.amount_micro.is_(None))
        .distinct()
        .order_by(ReserveRow.head, ReserveRow.network)
    )
    waiting = [(number, name) for number, name in db.db.session.execute(unknown)]
    release()
    return waiting


def _read_network(number: int, name: str) -> int:
    read_so_far = 0
    try:
        snapshot = chains.snapshot(name)
        for _ in range(_QUESTIONS):
            some = _unknown(number, name, snapshot.at_once)
            if not some:
                break
            read_so_far += _read_some(snapshot, number, name, some)
    except NoAnswer as error:
        log.warning("reserves_unknown", head=number, network=name, error=str(error))
    return read_so_far


def _read_some(snapshot: Snapshot, number: int, name: str, some: list[str]) -> int:
    at = snapshot.block(_begun_at(number, name))
    held = snapshot.balances(at, some)
    amounts = [held.micro[address] for address in some]
    with transaction():
        db.execute(
            _KNOWN,
            {
                "head": number,
                "network": name,
                "block": held.height,
                "addresses": some,
                "amounts": amounts,
            },
        )
    return len(some)


def _begun_at(number: int, name: str) -> int | None:
    height: int | None = db.db.session.scalar(
        select(func.max(ReserveRow.block)).filter_by(head=number, network=name)
    )
    release()
    return height


def _unknown(number: int, name: str, most: int) -> list[str]:
    rows = (
        select(ReserveRow.address)
        .filter_by(head=number, network=name, amount_micro=None)
        # "treasury" comes before "deposit".
        .order_by(ReserveRow.role.desc(), ReserveRow.address)
        .limit(most)
    )
    found = list(db.db.session.scalars(rows))
    release()
    return found
