"""Move USDC from one user to another, at once and for good."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from protonpay.kernel import clock, events, ids
from protonpay.kernel.errors import NotFound
from protonpay.kernel.money import Usdc
from protonpay.ledger import entries
from protonpay.ledger import service as ledger
from protonpay.plans import service as plans
from protonpay.store import db, idempotency
from protonpay.store.events import publish
from protonpay.store.lists import NEWEST_FIRST, WINDOW, Part
from protonpay.transfers import payees
from protonpay.users.service import Party

COMPLETED = "COMPLETED"

_INSERT = """
    INSERT INTO transfers (id, sender_id, recipient_id, amount_micro, fee_micro, to_identifier,
                           note, created_at, idempotency_key)
    VALUES (%(id)s, %(sender)s, %(recipient)s, %(amount)s, %(fee)s, %(to)s, %(note)s, %(at)s,
            %(key)s)
"""


# Who sends is charged and keeps the name they knew; who receives sees public ids alone.
_SIDES = """
    SELECT t.id, direction, amount_micro, charged, s.public_id,
           CASE direction WHEN 'OUT' THEN to_identifier ELSE r.public_id END, note, t.created_at
    FROM (
        (SELECT *, 'OUT' AS direction, fee_micro AS charged
         FROM transfers WHERE sender_id = %(user)s AND {which})
        UNION ALL
        (SELECT *, 'IN' AS direction, 0 AS charged
         FROM transfers WHERE recipient_id = %(user)s AND {which})
    ) AS t JOIN users s ON s.id = t.sender_id JOIN users r ON r.id = t.recipient_id
"""
_ONE = _SIDES.format(which="id = %(id)s")
_HISTORY = f"""
    {_SIDES.format(which=f"{WINDOW} {NEWEST_FIRST}")}
    ORDER BY t.created_at DESC, t.id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class SeenTransfer:
    """A transfer that stands, as one of its sides sees it.

    Attributes:
        fee: what this side paid: nothing, if it received.
        to_user: how the sender named the recipient; to the recipient, their own public id.
    """

    id: str
    direction: str
    amount: Usdc
    fee: Usdc
    from_user: str
    to_user: str
    note: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Sent(SeenTransfer):
    """A new transfer, and what its sender has left."""

    new_balance: Usdc


def send(sender_id: str, *, to_identifier: str, amount: Usdc, note: str | None = None) -> Sent:
    """Transfer to the user behind an e-mail address or a public id.

    Raises:
        NotFound: nobody is there (``recipient_not_found``).
        Invalid: to oneself (``self_transfer``), or more than there is
            (``insufficient_balance``).
        Forbidden: the account is suspended (``account_suspended``).
    """
    sender, recipient = payees.find_parties(sender_id, to_identifier)
    fee = plans.terms(sender.plan).transfer_fee
    transfer_id, now = ids.new_id(), clock.now()
    with db.transaction():
        row = {
            "id": transfer_id,
            "sender": sender.user_id,
            "recipient": recipient.user_id,
            "amount": amount.micro,
            "fee": fee.micro,
            "to": to_identifier,
            "note": note,
            "at": now,
            "key": idempotency.key(),
        }
        db.execute(_INSERT, row)
        _tell(transfer_id, sender, recipient, amount, fee)
        posted = ledger.post(
            entries.transfer(transfer_id, sender.user_id, recipient.user_id, amount, fee)
        )
    left = posted.balances[0]
    me = sender.public_id
    return Sent(transfer_id, "OUT", amount, fee, me, to_identifier, note, now, left)


def get(user_id: str, transfer_id: str) -> SeenTransfer:
    """Return a transfer as a user sees it who sent or received it.

    Raises:
        NotFound: there is none, or it is between others.
    """
    row = db.execute(_ONE, {"user": user_id, "id": transfer_id}).fetchone()
    if row is None:
        raise NotFound("not_found", "There is no such transfer.")
    return _seen(row)


def history(user_id: str, part: Part, *, status: str | None = None) -> Sequence[SeenTransfer]:
    """Return a part of what a user sent and received, newest first.

    Args:
        user_id: whose.
        part: which of them.
        status: there is but one: a transfer is complete from the moment it exists.
    """
    if status not in (None, COMPLETED):
        return []
    rows = db.execute(_HISTORY, {"user": user_id, **part.as_parameters()})
    return [_seen(row) for row in rows]


def _seen(row: Sequence[Any]) -> SeenTransfer:
    transfer_id, direction, amount, fee, *rest = row
    return SeenTransfer(transfer_id, direction, Usdc(amount), Usdc(fee), *rest)


def _tell(transfer_id: str, sender: Party, recipient: Party, amount: Usdc, fee: Usdc) -> None:
    # Both sides hear of it, by public ids: an event carries nobody's e-mail address.
    for party, direction in ((sender, "OUT"), (recipient, "IN")):
        data = {
            "id": transfer_id,
            "userId": party.user_id,
            "direction": direction,
            "amount": str(amount),
            "fee": str(fee) if fee and party is sender else "0",
            "currency": "USDC",
            "from": sender.public_id,
            "to": recipient.public_id,
            "status": COMPLETED,
        }
        publish(events.TRANSFER_COMPLETED, party.user_id, data)
