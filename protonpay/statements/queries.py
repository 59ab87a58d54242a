"""Reads of the book for one account: balances at moments, and the entries between them.

An account's balance is what is available and held, less what is owed. Whatever moves between
those three (a hold, its release, the repayment of a debt) is no line: it changes nothing.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import chart
from protonpay.statements import checkpoints
from protonpay.store import db

DEPOSIT, DEPOSIT_REFUND, DEPOSIT_RETURN = "DEPOSIT", "DEPOSIT_REFUND", "DEPOSIT_RETURN"
WITHDRAWAL, TRANSFER = "WITHDRAWAL", "TRANSFER"
INVOICE_PAYMENT, INVOICE_REFUND = "INVOICE_PAYMENT", "INVOICE_REFUND"
ADJUSTMENT, CREDIT = "ADJUSTMENT", "CREDIT"

TYPE_OF = {
    "card_credit": DEPOSIT,
    "chain_credit": DEPOSIT,
    "inside_credit": DEPOSIT,
    "suspense_release": DEPOSIT,
    "card_refund": DEPOSIT_REFUND,
    "payout_settle": WITHDRAWAL,
    "payout_settle_inside": WITHDRAWAL,
    # Seen only where what is sent back was never the user's: it comes in to go out.
    "payout_hold": DEPOSIT_RETURN,
    "payout_release": DEPOSIT_RETURN,
    "transfer": TRANSFER,
    "invoice_payment": INVOICE_PAYMENT,
    "invoice_refund": INVOICE_REFUND,
    "adjustment": ADJUSTMENT,
    "gift": CREDIT,
}
"""What a kind of entry is to who reads about it."""
TYPES = tuple(dict.fromkeys(TYPE_OF.values()))

_MOVED = """
    SELECT entry_id, destination AS account, micro FROM postings WHERE destination = ANY(%(mine)s)
    UNION ALL
    SELECT entry_id, source, -micro FROM postings WHERE source = ANY(%(mine)s)
"""
_ACCOUNTS = "SELECT address, id FROM ledger_accounts WHERE address = ANY(%(addresses)s)"
_BETWEEN = f"""
    SELECT width_bucket(e.posted_at, CAST(%(moments)s AS timestamptz[])) AS span, m.account,
           sum(m.micro)::bigint
    FROM ({_MOVED}) AS m JOIN journal_entries e ON e.id = m.entry_id
    GROUP BY 1, 2
"""  # noqa: S608 - of constants alone
_FLOWS = f"""
    SELECT span, coalesce(sum(change) FILTER (WHERE change > 0), 0)::bigint,
           coalesce(-sum(change) FILTER (WHERE change < 0), 0)::bigint
    FROM (
        SELECT width_bucket(e.posted_at, CAST(%(moments)s AS timestamptz[])) AS span,
               sum(m.micro) AS change
        FROM ({_MOVED}) AS m JOIN journal_entries e ON e.id = m.entry_id
        GROUP BY 1, e.id
    ) AS entries GROUP BY span
"""  # noqa: S608 - of constants alone
_COUNTS = f"""
    SELECT span, count(*) FROM (
        SELECT width_bucket(e.posted_at, CAST(%(moments)s AS timestamptz[])) AS span
        FROM ({_MOVED}) AS m JOIN journal_entries e ON e.id = m.entry_id
        GROUP BY 1, e.id HAVING sum(m.micro) <> 0
    ) AS lines GROUP BY 1
"""  # noqa: S608 - of constants alone
_ENTRIES = f"""
    SELECT e.id FROM ({_MOVED}) AS m JOIN journal_entries e ON e.id = m.entry_id
    WHERE e.posted_at >= %(since)s AND e.posted_at < %(until)s
    GROUP BY e.id HAVING sum(m.micro) <> 0 ORDER BY e.posted_at, e.id
"""  # noqa: S608 - of constants alone
# Our fee is what came to us of this account, or of what was on its way to it: of a transfer, the
# sender's alone. What we gave back of one counts against it.
_LINES = """
    WITH wanted AS (
        SELECT e.id, e.kind, e.posted_at, split_part(e.reference, ':', 1) AS noun,
               split_part(e.reference, ':', 2) AS thing, n.place
        FROM unnest(%(entries)s::bigint[]) WITH ORDINALITY AS n (id, place)
        JOIN journal_entries e ON e.id = n.id
    ), moved AS (
        SELECT p.entry_id,
               sum(CASE WHEN p.destination = ANY(%(mine)s) THEN p.micro ELSE 0 END
                   - CASE WHEN p.source = ANY(%(mine)s) THEN p.micro ELSE 0 END)::bigint AS change,
               sum(CASE WHEN d.address = %(fees)s AND (p.source = ANY(%(mine)s)
                             OR s.address NOT LIKE 'user:%%') THEN p.micro
                        WHEN s.address = %(fees)s AND d.address NOT LIKE 'user:%%' THEN -p.micro
                        ELSE 0 END)::bigint AS fee
        FROM postings p
        JOIN ledger_accounts s ON s.id = p.source JOIN ledger_accounts d ON d.id = p.destination
        WHERE p.entry_id = ANY(%(entries)s) GROUP BY p.entry_id
    )
    SELECT w.posted_at, w.kind, m.change, m.fee, o.source IS NOT NULL,
           coalesce(d.id, c.id, i.id, o.id, t.id, b.id, r.id),
           coalesce(i.invoice_id, b.invoice_id, r.invoice_id, back.invoice_id),
           coalesce(d.network, c.network, i.network, o.network),
           coalesce(d.tx_hash, c.tx_hash, i.tx_hash, o.tx_hash),
           coalesce(d.provider, c.sender, i.sender, o.wallet_address,
                    CASE WHEN t.sender_id = %(user)s THEN t.to_identifier ELSE party.public_id END)
    FROM wanted w JOIN moved m ON m.entry_id = w.id
    LEFT JOIN deposits d ON d.id = CASE w.noun WHEN 'deposit' THEN w.thing END
    LEFT JOIN deposits c ON c.incoming_id = CASE w.noun WHEN 'incoming' THEN w.thing END
    LEFT JOIN invoice_payments i ON i.incoming_id = CASE w.noun WHEN 'incoming' THEN w.thing END
    LEFT JOIN payouts o ON o.id = CASE w.noun WHEN 'payout' THEN w.thing END
    LEFT JOIN invoice_refunds back ON back.payout_id = o.id
    LEFT JOIN transfers t ON t.id = CASE w.noun WHEN 'transfer' THEN w.thing END
    LEFT JOIN invoice_payments b ON b.id = CASE w.noun WHEN 'invoice_payment' THEN w.thing END
    LEFT JOIN invoice_refunds r ON r.id = CASE w.noun WHEN 'invoice_refund' THEN w.thing END
    LEFT JOIN users party ON party.id = CASE %(user)s
        WHEN t.recipient_id THEN t.sender_id
        WHEN b.owner_id THEN b.payer_id WHEN b.payer_id THEN b.owner_id
        WHEN r.owner_id THEN r.payer_id WHEN r.payer_id THEN r.owner_id END
    ORDER BY w.place
"""
# The other way round: what the entries of a thing are booked under, if it is this user's.
_REFERENCES = """
    SELECT unnest(CASE WHEN incoming_id IS NULL THEN ARRAY['deposit:' || id || ':credit']
                  ELSE ARRAY['incoming:' || incoming_id || ':credit',
                             'incoming:' || incoming_id || ':release'] END)
    FROM (
        SELECT id, incoming_id FROM deposits WHERE id = %(thing)s AND user_id = %(user)s
        UNION ALL
        SELECT id, incoming_id FROM invoice_payments
        WHERE id = %(thing)s AND owner_id = %(user)s AND method = 'CRYPTO'
    ) AS came
    UNION ALL
    SELECT 'payout:' || id || step FROM payouts, unnest('{:hold,:settle,:release}'::text[]) AS step
    WHERE id = %(thing)s AND user_id = %(user)s
    UNION ALL
    SELECT 'transfer:' || id FROM transfers
    WHERE id = %(thing)s AND %(user)s IN (sender_id, recipient_id)
    UNION ALL
    SELECT 'invoice_payment:' || id FROM invoice_payments
    WHERE id = %(thing)s AND payer_id IS NOT NULL AND %(user)s IN (owner_id, payer_id)
    UNION ALL
    SELECT 'invoice_refund:' || id FROM invoice_refunds
    WHERE id = %(thing)s AND payer_id IS NOT NULL AND %(user)s IN (owner_id, payer_id)
"""
# A card's refunds are booked under what was given back in all: numbers, so a range of the index
# however the database sorts letters.
_BOOKED = """
    SELECT e.id FROM journal_entries e JOIN postings p ON p.entry_id = e.id
    WHERE e.id IN (
        SELECT id FROM journal_entries WHERE reference = ANY(%(references)s)
        UNION ALL
        SELECT id FROM journal_entries
        WHERE reference BETWEEN %(refunds)s || '1' AND %(refunds)s || '9999999999999999999'
    )
    GROUP BY e.id
    HAVING sum(CASE WHEN p.destination = ANY(%(mine)s) THEN p.micro ELSE 0 END
               - CASE WHEN p.source = ANY(%(mine)s) THEN p.micro ELSE 0 END) <> 0
    ORDER BY e.posted_at, e.id
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account had at a moment.

    Attributes:
        owed: above zero; whoever owes has nothing available.
    """

    available: Usdc = ZERO
    held: Usdc = ZERO
    owed: Usdc = ZERO

    @property
    def balance(self) -> Usdc:
        """What it was worth: below zero if more is owed than is held."""
        return self.available + self.held - self.owed


@dataclass(frozen=True, slots=True)
class Flow:
    """What entries of a span made a balance grow and shrink by; neither is below zero."""

    grown: Usdc = ZERO
    shrunk: Usdc = ZERO

    @property
    def change(self) -> Usdc:
        """Of the balance, over the span."""
        return self.grown - self.shrunk


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the book, as one account has it.

    Attributes:
        type: one of ``TYPES``.
        id: of the deposit, withdrawal, transfer or payment, as other calls name it; None for
            what no call names.
        party: who is on the other side, as this user may know them.
        change: of the balance, below zero for what left; ``fee`` is part of it.
        fee: ours; below zero if it was given back.
        balance: after it.
    """

    at: datetime
    type: str
    id: str | None
    invoice_id: str | None
    party: str | None
    network: str | None
    tx_hash: str | None
    change: Usdc
    fee: Usdc
    balance: Usdc

    @property
    def amount(self) -> Usdc:
        """What moved before our fee was taken off: ``change`` is this less ``fee``."""
        return self.change + self.fee


@dataclass(frozen=True, slots=True)
class Book:
    """The accounts of one user: available, held, and debt if there ever was one."""

    user_id: str
    names: dict[int, str]

    @property
    def parameters(self) -> dict[str, Any]:
        """Say them to a query."""
        return {"mine": list(self.names)}

    def standings(self, moments: Sequence[datetime]) -> list[Standing]:
        """Return what the user had at each of some moments, in order.

        Args:
            moments: rising; an entry of a moment itself comes after it.
        """
        asked = {**self.parameters, "moments": list(moments)}
        sums: dict[str, list[int]] = {name: [0] * len(moments) for name in self.names.values()}
        for span, account, micro in db.execute(_BETWEEN, asked):
            for place in range(span, len(moments)):
                sums[self.names[account]][place] += micro
        return [self._standing(sums, place) for place in range(len(moments))]

    def flows(self, moments: Sequence[datetime]) -> list[Flow]:
        """Return what changed the balance before the first moment, and from each to the next.

        All of it is read at once: the balance at a moment is the sum of the changes before it.
        """
        asked = {**self.parameters, "moments": list(moments)}
        found = {
            span: Flow(Usdc(grown), Usdc(shrunk))
            for span, grown, shrunk in db.execute(_FLOWS, asked)
        }
        return [found.get(span, Flow()) for span in range(len(moments))]

    def counts(self, moments: Sequence[datetime]) -> list[int]:
        """Return how many entries changed the balance between each moment and the next."""
        asked = {**self.parameters, "moments": list(moments)}
        counted = dict(db.execute(_COUNTS, asked).fetchall())
        return [counted.get(place, 0) for place in range(1, len(moments))]

    def entries(self, since: datetime, until: datetime) -> "array[int]":
        """Return the ids of the entries that changed the balance in a span, in their order."""
        asked = {**self.parameters, "since": since, "until": until}
        return array("q", (row[0] for row in db.execute(_ENTRIES, asked)))

    def lines(self, entries: Sequence[int], balance: Usdc) -> list[Line]:
        """Return entries as lines.

        Args:
            entries: their ids, in order.
            balance: before the first of them.
        """
        lines = []
        for row in self._told(entries):
            lines.append(_line(row, balance))
            balance = lines[-1].balance
        return lines

    def lines_of(self, thing_id: str) -> list[Line] | None:
        """Return the entries of a thing as lines, oldest first; None if it is not this user's.

        Args:
            thing_id: of a line of activity.
        """
        asked: dict[str, Any] = {"user": self.user_id, "thing": thing_id}
        references = [row[0] for row in db.execute(_REFERENCES, asked)]
        if not references:
            return None
        asked = {"references": references, "refunds": f"deposit:{thing_id}:refund:"}
        entries = [row[0] for row in db.execute(_BOOKED, {**self.parameters, **asked})]
        before = checkpoints.before(self.user_id, list(self.names), entries)
        told = zip(self._told(entries), entries, strict=True)
        return [_line(row, before[entry]) for row, entry in told]

    def _told(self, entries: Sequence[int]) -> Sequence[Sequence[Any]]:
        asked = {"entries": list(entries), "fees": chart.FEES, "user": self.user_id}
        return db.execute(_LINES, {**self.parameters, **asked}).fetchall()

    @staticmethod
    def _standing(sums: dict[str, list[int]], place: int) -> Standing:
        found = {name: Usdc(micros[place]) for name, micros in sums.items()}
        owed = ZERO - found.get("debt", ZERO)
        return Standing(found.get("available", ZERO), found.get("held", ZERO), owed)


def _line(row: Sequence[Any], before: Usdc) -> Line:
    at, kind, change, fee, of_others, *told = row
    thing, invoice, network, tx_hash, party = told
    of = DEPOSIT_RETURN if of_others else TYPE_OF.get(kind, ADJUSTMENT)
    money = (Usdc(change), Usdc(fee), before + Usdc(change))
    return Line(at, of, thing, invoice, party, network, tx_hash, *money)


def book(user_id: str) -> Book:
    """Return the accounts of a user."""
    addresses = {
        chart.available(user_id): "available",
        chart.held(user_id): "held",
        chart.debt(user_id): "debt",
    }
    found = db.execute(_ACCOUNTS, {"addresses": list(addresses)}).fetchall()
    return Book(user_id, {row[1]: addresses[row[0]] for row in found})
