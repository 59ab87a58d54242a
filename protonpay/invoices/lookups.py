"""A transaction that a payer says has paid an invoice: looked up on the chain by a worker.

Nothing is credited by this: transfers are found by the watches. It tells who paid from an exchange,
or in another coin, where their money is. A node that does not answer proves nothing, and one that
knows no such transaction may know it in a minute: both are asked again, for two hours.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import select

from protonpay.chains.registry import NETWORKS
from protonpay.invoices.models import InvoiceLookup
from protonpay.invoices.reckoning import locked
from protonpay.invoices.states import LOOKUP, LOOKUP_OPEN, LOOKUP_TRIES
from protonpay.kernel import clock, ids
from protonpay.kernel.errors import Conflict, Invalid
from protonpay.store import outbox
from protonpay.store.db import current, db, transaction
from protonpay.store.jobs import Later

log = structlog.get_logger(__name__)

_NAMES = (
    ("evm", re.compile(r"(?<![0-9a-zA-Z])0x[0-9a-fA-F]{64}(?![0-9a-zA-Z])", re.ASCII)),
    # 64 bytes in base58; found in the link of an explorer, too.
    ("solana", re.compile(r"(?<![0-9a-zA-Z])[1-9A-HJ-NP-Za-km-z]{64,88}(?![0-9a-zA-Z])")),
)
_MOST = 10
"""Transactions of one invoice: nobody pays it with more."""
_SLOWEST = 300  # s

_MEANS = {
    **dict.fromkeys(("CREDITED", "ON_HOLD", "RETURNED"), "FOUND"),
    **dict.fromkeys(("WAITS", "NOT_READ_YET", "NOT_RECORDED"), "COMING"),
    **dict.fromkeys(("OTHER_TOKEN", "LOOK_ALIKE", "NATIVE_COIN"), "WRONG_TOKEN"),
    "VANISHED": "NOT_FOUND",
}
"""What something at the invoice's own address is → the state of its lookup."""
_MEANS_ELSE = {
    "NOT_FOUND": "NOT_FOUND",
    "PENDING": "COMING",
    "FAILED": "FAILED",
    # Nobody has said anything yet.
    "UNKNOWN": "LOOKING",
}
"""What a transaction is that did nothing at the address; all else went elsewhere."""
_ORDER = ("FOUND", "COMING", "WRONG_TOKEN", "NOT_FOUND")
"""Of several things that one transaction did, which is told."""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing a transaction did.

    Attributes:
        verdict: as ``reconciliation.explaining`` names it.
        holder: ``invoice <id>`` or ``user <id>`` of the address, if it is one of ours.
        asset: ``USDC``, ``native``, or a token's contract or mint.
    """

    verdict: str
    holder: str | None
    asset: str | None


def look_for(invoice_id: str, said: str) -> InvoiceLookup:
    """Have a transaction looked up; one that was named before is looked up again if that may help.

    Args:
        invoice_id: which it is said to have paid.
        said: its hash, or a link that holds it.

    Raises:
        NotFound: there is no such invoice.
        Invalid: there is no hash of a transaction in it (``not_a_transaction``).
        Conflict: too many were named (``state_conflict``).
    """
    family, tx_hash = _hash_in(said)
    with transaction() as session:
        locked(invoice_id)
        known = {row.tx_hash: row for row in _of(invoice_id)}
        row = known.get(tx_hash)
        if row is not None:
            if row.state in LOOKUP_OPEN and row.tries >= LOOKUP_TRIES:
                row.tries = 0
                _soon(row)
            return row
        if len(known) >= _MOST:
            raise Conflict("state_conflict", "No more transactions are looked up for this invoice.")
        row = InvoiceLookup(
            id=ids.new_id(),
            invoice_id=invoice_id,
            network=next(name for name, of in NETWORKS.items() if of.family == family),
            tx_hash=tx_hash,
            state=LOOKUP.initial,
            tries=0,
            created_at=clock.now(),
        )
        session.add(row)
        session.flush()
        _soon(row)
    return row


def asked(lookup_id: str) -> tuple[str, str] | None:
    """Return network and hash of what is to be looked up; None if its end is known.

    Raises:
        LookupError: there is no such row.
    """
    row = db.session.get(InvoiceLookup, lookup_id, populate_existing=True)
    if row is None:
        raise LookupError(f"there is no lookup {lookup_id}")
    return (row.network, row.tx_hash) if row.state in LOOKUP_OPEN else None


def take(lookup_id: str, network: str, told: Iterable[Told]) -> Later | None:
    """Note what a network has said of a transaction, and whether it is to be asked again."""
    with transaction():
        row = current().get_one(InvoiceLookup, lookup_id, populate_existing=True)
        locked(row.invoice_id)
        current().refresh(row)
        if row.state not in LOOKUP_OPEN:
            return None
        state, coin = _becomes(row.invoice_id, list(told))
        row.tries += 1
        if state == LOOKUP.initial:
            # Unknown: what was known before stands.
            state = row.state
        else:
            row.network = network
        if state != row.state:
            LOOKUP.check(row.state, state)
            row.state, row.coin = state, coin
            if state == "WRONG_TOKEN":
                log.error("other_coin_for_invoice", lookup_id=row.id, invoice_id=row.invoice_id)
        if row.state in LOOKUP_OPEN and row.tries < LOOKUP_TRIES:
            return Later(min(5 * 2 ** min(row.tries, 8), _SLOWEST), "asked again")
    return None


def wrong(limit: int = 200) -> Sequence[InvoiceLookup]:
    """Return what came in another coin, oldest first: a person has to look at each."""
    found = select(InvoiceLookup).where(InvoiceLookup.state == "WRONG_TOKEN")
    return db.session.scalars(found.order_by(InvoiceLookup.created_at).limit(limit)).all()


def _becomes(invoice_id: str, told: Sequence[Told]) -> tuple[str, str | None]:
    mine = [one for one in told if one.holder == f"invoice {invoice_id}"]
    means = {_MEANS[one.verdict]: one.asset for one in mine if one.verdict in _MEANS}
    for state in _ORDER:
        if state in means:
            return state, means[state] if state == "WRONG_TOKEN" else None
    whole = [_MEANS_ELSE[one.verdict] for one in told if one.verdict in _MEANS_ELSE]
    return (whole[0] if whole else "ELSEWHERE"), None


def _hash_in(said: str) -> tuple[str, str]:
    for family, pattern in _NAMES:
        found = pattern.search(said)
        if found is not None:
            return family, found[0].lower() if family == "evm" else found[0]
    raise Invalid("not_a_transaction", "There is no hash of a transaction in this.")


def _of(invoice_id: str) -> Sequence[InvoiceLookup]:
    rows = select(InvoiceLookup).where(InvoiceLookup.invoice_id == invoice_id)
    return current().scalars(rows, execution_options={"populate_existing": True}).all()


def _soon(row: InvoiceLookup) -> None:
    outbox.add("invoices.look_up", lookup_id=row.id)
