"""Write down what a watch found: one row per transfer, and a job for every change of it.

Joins the caller's transaction, so that rows, jobs and the mark that says how far the
network was read stand or fall together.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog
from sqlalchemy import Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from protonpay.chains.registry import NETWORKS, chains
from protonpay.chains.watch import Arrival
from protonpay.kernel import clock, faults, ids
from protonpay.kernel.money import Usdc
from protonpay.store import outbox
from protonpay.store.db import LOCK, after_commit, current, db
from protonpay.wallets.models import DepositAddress, Incoming
from protonpay.wallets.states import INCOMING

log = structlog.get_logger(__name__)

Holder = tuple[str, str]
"""Kind and id."""


class Owners:
    """Whose a holder is: rooms above know it of what they hold addresses for (``bind``)."""

    def __init__(self) -> None:
        self._of: Mapping[str, Callable[[str], str | None]] = {}

    def bind(self, of: Mapping[str, Callable[[str], str | None]]) -> None:
        """Set, for each kind of holder but ``user``, how the user behind one is found."""
        self._of = of

    def of(self, holder: Holder) -> str | None:
        """Return the id of the user whom a payment to this holder is credited to."""
        kind, holder_id = holder
        return holder_id if kind == "user" else self._of[kind](holder_id)


owners = Owners()
_AT_ONCE = 5000


def holders(network: str, addresses: Iterable[str]) -> Mapping[str, Holder]:
    """Return kind and id of whoever holds each address; those that nobody holds are left out.

    An address without the notary's signature is nobody's, whatever the database says: who
    could write it there would be credited with other people's payments.
    """
    family, asked = NETWORKS[network].family, sorted(set(addresses))
    found: dict[str, Holder] = {}
    for start in range(0, len(asked), _AT_ONCE):
        # One array, not thousands of parameters: those cost more than the look-up.
        some = bindparam(None, asked[start : start + _AT_ONCE], ARRAY(Text))
        rows = db.session.scalars(
            select(DepositAddress).where(
                DepositAddress.family == family,
                DepositAddress.address == func.any(some),
                DepositAddress.holder_id.is_not(None),
            )
        )
        found |= {row.address: _holder(row) for row in rows if _is_ours(row)}
    return found


def record(
    network: str, arrivals: Sequence[Arrival], held: Mapping[str, Holder], *, final: bool
) -> None:
    """Write transfers down as seen, or as final: a repeat changes nothing and asks for nothing.

    Args:
        network: where they are.
        arrivals: what the network tells; those to addresses that nobody holds are left out.
        held: who holds which address.
        final: no reorg can take them back.
    """
    # In one order, whoever tells of them: two rounds at once would wait for each other.
    for arrival in sorted(arrivals, key=lambda one: (one.block, one.tx_hash, one.ordinal)):
        holder = held.get(arrival.address)
        if holder is not None:
            _record(network, arrival, holder, final=final)


def record_inside(
    network: str, address: str, amount: Usdc, *, holder: Holder, payout_id: str
) -> None:
    """Write down that a payout of ours goes to an address of ours, final from the beginning.

    No chain carries it; what follows for whoever holds the address is what follows from any
    other transfer.
    """
    now = clock.now()
    row = Incoming(
        id=ids.new_id(),
        network=network,
        address=address,
        holder_kind=holder[0],
        holder_id=holder[1],
        amount_micro=amount,
        tx_hash=inside_name(payout_id),
        ordinal=0,
        block=0,
        state="FINAL",
        seen_at=now,
        final_at=now,
        inside=True,
    )
    current().add(row)
    _tell(row)


def inside_name(payout_id: str) -> str:
    """Return what a transfer that stays inside has in place of a transaction's hash."""
    return f"internal:{payout_id}"


def vanish(network: str, tx_hash: str, ordinal: int) -> None:
    """Write down that a transfer which was seen is in no block any more."""
    row = _locked(network, tx_hash, ordinal)
    if row is not None and row.state == "SEEN":
        _move(row, "VANISHED")
        _tell(row)


def open_rows(network: str) -> Sequence[Incoming]:
    """Return the transfers of a network that are seen and not final."""
    seen = select(Incoming).where(Incoming.network == network, Incoming.state == "SEEN")
    return db.session.scalars(
        seen.order_by(Incoming.block, Incoming.tx_hash, Incoming.ordinal),
        execution_options={"populate_existing": True},
    ).all()


def finals(network: str, tx_hashes: Iterable[str]) -> set[str]:
    """Return which of these transactions were read when they were final."""
    final = select(Incoming.tx_hash).where(
        Incoming.network == network,
        Incoming.tx_hash.in_(sorted(tx_hashes)),
        Incoming.state == "FINAL",
    )
    return set(db.session.scalars(final))


def _record(network: str, arrival: Arrival, holder: Holder, *, final: bool) -> None:
    facts = {
        "address": arrival.address,
        "holder_kind": holder[0],
        "holder_id": holder[1],
        "amount_micro": arrival.amount,
        "sender": arrival.sender,
        "payers": list(arrival.payers),
        "block": arrival.block,
        "block_hash": arrival.block_hash,
    }
    name = {"network": network, "tx_hash": arrival.tx_hash, "ordinal": arrival.ordinal}
    first = {"id": ids.new_id(), "state": INCOMING.initial, "seen_at": clock.now()}
    made = insert(Incoming).values(**first, **name, **facts).on_conflict_do_nothing()
    is_new = current().scalar(made.returning(Incoming.id)) is not None
    row = _locked(network, arrival.tx_hash, arrival.ordinal)
    if row is None or row.state == "FINAL":
        return
    says_more = is_new or row.state != "SEEN" or final or _differs(row, facts)
    for column, value in facts.items():
        setattr(row, column, value)
    if row.state == "VANISHED":
        _move(row, "SEEN")
    if final:
        _move(row, "FINAL")
        row.final_at = clock.now()
    current().flush()
    if says_more:
        _tell(row)


def _differs(row: Incoming, facts: Mapping[str, object]) -> bool:
    """Tell whether a reorg changed what the transaction does, not only where it is."""
    told = ("address", "holder_kind", "holder_id", "amount_micro", "sender", "payers")
    return any(getattr(row, name) != facts[name] for name in told)


def _locked(network: str, tx_hash: str, ordinal: int) -> Incoming | None:
    found: Incoming | None = current().scalar(
        select(Incoming)
        .filter_by(network=network, tx_hash=tx_hash, ordinal=ordinal)
        .with_for_update(**LOCK),
        execution_options={"populate_existing": True},
    )
    return found


def _move(row: Incoming, state: str) -> None:
    INCOMING.check(row.state, state)
    row.state = state


def _tell(row: Incoming) -> None:
    current().flush()
    log.info("incoming", incoming_id=row.id, network=row.network, state=row.state)
    outbox.add("wallets.incoming_changed", incoming_id=row.id)
    moment = f"{row.network}.{row.state}"
    faults.point("wallets.recording", moment)
    after_commit(lambda: faults.point("wallets.recorded", moment))


def _holder(row: DepositAddress) -> Holder:
    return row.holder_kind or "", row.holder_id or ""


def _is_ours(row: DepositAddress) -> bool:
    ours = chains.addresses().has_signed(row.family, row.number, row.address, row.proof)
    if not ours:
        log.error("address_not_ours", family=row.family, number=row.number)
    return ours
