"""A user's history over many rooms, a page at a time: flat in its length, whatever the page."""

import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from protonpay.chains import networks
from protonpay.deposits import states as deposits
from protonpay.invoices import states as payments
from protonpay.kernel.money import Usdc
from protonpay.payouts import states as payouts
from protonpay.store import db
from protonpay.store.lists import NEWEST_FIRST, WINDOW, Part
from protonpay.transfers.service import COMPLETED

_OF_INVOICE = "(SELECT description FROM invoices WHERE invoices.id = invoice_id) AS note"
_DEPOSITS = f"""
    SELECT id, 'DEPOSIT' AS type, amount_micro - commission_micro AS amount,
           commission_micro AS fee, refunded_micro AS refunded, method, network, state,
           'IN' AS direction, coalesce(provider, sender) AS party, tx_hash, invoice_id,
           created_at, {_OF_INVOICE}
    FROM deposits WHERE user_id = %(user)s AND state <> 'VANISHED'
"""  # noqa: S608 - of constants alone
_PAYOUTS = """
    SELECT id, 'WITHDRAWAL' AS type, amount_micro AS amount, fee_micro AS fee, 0 AS refunded,
           'CRYPTO' AS method, network, state, 'OUT' AS direction, wallet_address AS party, tx_hash,
           NULL AS invoice_id, created_at, NULL AS note
    FROM payouts WHERE user_id = %(user)s
"""
_SENT = """
    SELECT id, 'TRANSFER' AS type, amount_micro AS amount, fee_micro AS fee, 0 AS refunded,
           'INTERNAL' AS method, NULL AS network, 'COMPLETED' AS state, 'OUT' AS direction,
           to_identifier AS party, NULL AS tx_hash, NULL AS invoice_id, created_at, note
    FROM transfers WHERE sender_id = %(user)s
"""
_RECEIVED = """
    SELECT id, 'TRANSFER' AS type, amount_micro AS amount, 0 AS fee, 0 AS refunded,
           'INTERNAL' AS method, NULL AS network, 'COMPLETED' AS state, 'IN' AS direction,
           (SELECT public_id FROM users WHERE users.id = sender_id) AS party,
           NULL AS tx_hash, NULL AS invoice_id, created_at, note
    FROM transfers WHERE recipient_id = %(user)s
"""


# What came on chain is money from outside, whatever it was for; what goes back there is a payout.
_PAID_ON_CHAIN = f"""
    SELECT id, 'DEPOSIT' AS type, amount_micro - commission_micro AS amount,
           commission_micro AS fee, 0 AS refunded, method, network, state, 'IN' AS direction,
           sender AS party,
           tx_hash, invoice_id, created_at, {_OF_INVOICE}
    FROM invoice_payments
    WHERE owner_id = %(user)s AND method = 'CRYPTO' AND state <> 'VANISHED'
"""  # noqa: S608 - of constants alone


def _between(table: str, mine: str, other: str, direction: str) -> str:
    """Return the lines of what invoices moved between two balances, as one of its sides has it."""
    return f"""
        SELECT id, 'TRANSFER' AS type, amount_micro AS amount, 0 AS fee, 0 AS refunded,
               'INTERNAL' AS method, NULL AS network, 'COMPLETED' AS state,
               '{direction}' AS direction,
               (SELECT public_id FROM users WHERE users.id = {other}) AS party,
               NULL AS tx_hash, invoice_id, created_at, {_OF_INVOICE}
        FROM {table} WHERE {mine} = %(user)s AND payer_id IS NOT NULL
    """  # noqa: S608 - the parts are constants of this file


_PAID_FROM_BALANCES = (
    _between("invoice_payments", "owner_id", "payer_id", "IN"),
    _between("invoice_payments", "payer_id", "owner_id", "OUT"),
    _between("invoice_refunds", "owner_id", "payer_id", "OUT"),
    _between("invoice_refunds", "payer_id", "owner_id", "IN"),
)


@dataclass(frozen=True, slots=True)
class _Source:
    """Where lines of one type come from.

    Attributes:
        selects: each walks one index (user, created_at, id) backwards and stops after a page.
        shown: the status a client sees for a state.
        behind: the states that a client sees as a status.
    """

    selects: tuple[str, ...]
    shown: Callable[[str], str]
    behind: Callable[[str], tuple[str, ...]]
    statuses: tuple[str, ...]


_INSIDE = (_SENT, _RECEIVED, *_PAID_FROM_BALANCES)
_SOURCES: Mapping[str, tuple[_Source, ...]] = {
    "DEPOSIT": (
        _Source((_DEPOSITS,), deposits.shown, deposits.behind, deposits.STATUSES),
        _Source((_PAID_ON_CHAIN,), payments.shown, payments.behind, payments.STATUSES),
    ),
    "WITHDRAWAL": (_Source((_PAYOUTS,), payouts.shown, payouts.behind, payouts.STATUSES),),
    "TRANSFER": (_Source(_INSIDE, str, lambda status: (status,), (COMPLETED,)),),
}
TYPES = tuple(_SOURCES)
STATUSES = tuple(
    dict.fromkeys(one for kind in _SOURCES.values() for source in kind for one in source.statuses)
)

_SHOWN: Mapping[str, Callable[[str], str]] = {
    "DEPOSIT": lambda state: deposits.shown(payments.shown(state)),
    "WITHDRAWAL": payouts.shown,
    "TRANSFER": str,
}

# Spelled out: what a database's own lower() knows beyond ASCII depends on how it was made.
_LARGE = string.ascii_uppercase + "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁё"
_SMALL = string.ascii_lowercase + "абвгдежзийклмнопрстуфхцчшщъыьэюяее"
_FOLDED = str.maketrans(_LARGE, _SMALL)
_MEETS = {
    "network": "network = %(network)s",
    "least": "amount >= %(least)s",
    "most": "amount <= %(most)s",
    "words": "strpos(lower(concat_ws(' ', id, invoice_id, tx_hash, party, note)), %(words)s) > 0",
    # Only notes have letters beyond ASCII, and these cost much to be made small.
    "letters": f"strpos(translate(note, '{_LARGE}', '{_SMALL}'), %(letters)s) > 0",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines of a history; None is any.

    Attributes:
        kind: of this type (``TYPES``).
        status: which a client sees so (``STATUSES``).
        network: which moved on it.
        min_amount: of this and more; ``max_amount`` of this and less, as ``amount`` is shown.
        q: with this text in the id, the invoice's, the transaction's hash, the other side or the
            note; large letters are small ones, and a Russian "ё" has no dots.
    """

    kind: str | None = None
    status: str | None = None
    network: str | None = None
    min_amount: Usdc | None = None
    max_amount: Usdc | None = None
    q: str | None = None

    def as_parameters(self) -> dict[str, Any]:
        """Return what the conditions of ``_MEETS`` ask for, each by its name."""
        text = self.q and self.q.translate(_FOLDED)
        asked = {
            "network": self.network,
            "least": self.min_amount and self.min_amount.micro,
            "most": self.max_amount and self.max_amount.micro,
            "words" if text is None or text.isascii() else "letters": text,
        }
        return {name: value for name, value in asked.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Activity:
    """One line of a user's history.

    Attributes:
        party: who is on the other side, as this user may know them.
        refunded: what was taken back of ``amount``, for a deposit.
        invoice_id: the invoice that was paid or given back.
        note: what a transfer's sender wrote, or what the invoice is for.
    """

    id: str
    type: str
    amount: Usdc
    fee: Usdc
    refunded: Usdc
    method: str
    network: str | None
    status: str
    direction: str
    party: str | None
    tx_hash: str | None
    invoice_id: str | None
    created_at: datetime
    note: str | None


def activity(user_id: str, part: Part, wanted: Wanted | None = None) -> Sequence[Activity]:
    """Return a part of a user's history, newest first.

    Args:
        user_id: whose.
        part: which lines.
        wanted: and of these, which.
    """
    wanted = wanted or Wanted()
    branches = [
        branch
        for name, sources in _SOURCES.items()
        if wanted.kind in (None, name)
        for source in sources
        for branch in _branches(source, wanted.status)
    ]
    if not branches:
        return []
    asked = wanted.as_parameters()
    meets = "".join(f" AND {_MEETS[name]}" for name in asked)
    whole = " UNION ALL ".join(
        f"(SELECT * FROM ({branch}) AS one WHERE {WINDOW}{meets} {NEWEST_FIRST})"  # noqa: S608
        for branch in branches
    )
    sql = f"SELECT * FROM ({whole}) AS activity {NEWEST_FIRST}"  # noqa: S608 - of constants alone
    rows = db.execute(sql, {"user": user_id, **part.as_parameters(), **asked})
    return [_line(row) for row in rows]


def named(user_id: str, part: Part, **wanted: Any) -> Sequence[Activity]:
    """Return a part of a user's history, as ``activity``, with what is ``Wanted`` by name.

    Raises:
        Invalid: there is no such network (``unsupported_network``).
    """
    if wanted.get("network"):
        networks.network(wanted["network"])
    return activity(user_id, part, Wanted(**wanted))


def recent(user_id: str, count: int) -> Sequence[Activity]:
    """Return the newest lines of a user's history."""
    return activity(user_id, Part(count))


def _branches(source: _Source, status: str | None) -> Iterator[str]:
    if status is None or source.statuses == (status,):
        yield from source.selects
    elif status in source.statuses:
        # One for each state: an index (user, state, created_at, id) finds what is rare, too.
        for state in source.behind(status):
            yield from (f"{select} AND state = '{state}'" for select in source.selects)


def _line(row: Sequence[Any]) -> Activity:
    record_id, kind, amount, fee, refunded, method, network, state, *rest = row
    status = _SHOWN[kind](state)
    money = (Usdc(amount), Usdc(fee), Usdc(refunded))
    return Activity(record_id, kind, *money, method, network, status, *rest)
