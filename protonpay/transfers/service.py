"""Move USDC from one user to another, at once and for good."""

from dataclasses import dataclass
from datetime import datetime

from protonpay.kernel import clock, events, ids
from protonpay.kernel.errors import Invalid, NotFound
from protonpay.kernel.money import Usdc
from protonpay.ledger import entries
from protonpay.ledger import service as ledger
from protonpay.plans import service as plans
from protonpay.store import db, idempotency
from protonpay.store.events import publish
from protonpay.users import service as users
from protonpay.users.service import Party

COMPLETED = "COMPLETED"

_INSERT = """
    INSERT INTO transfers (id, sender_id, recipient_id, amount_micro, fee_micro, to_identifier,
                           note, created_at, idempotency_key)
    VALUES (%(id)s, %(sender)s, %(recipient)s, %(amount)s, %(fee)s, %(to)s, %(note)s, %(at)s,
            %(key)s)
"""


@dataclass(frozen=True, slots=True)
class Sent:
    """A transfer that stands, and what its sender has left."""

    id: str
    amount: Usdc
    fee: Usdc
    to_user: str
    status: str
    note: str | None
    created_at: datetime
    new_balance: Usdc


def send(sender_id: str, *, to_identifier: str, amount: Usdc, note: str | None = None) -> Sent:
    """Transfer to the user behind an e-mail address or a public id.

    Raises:
        NotFound: nobody is there (``recipient_not_found``).
        Invalid: to oneself (``self_transfer``), or more than there is
            (``insufficient_balance``).
        Forbidden: the account is suspended (``account_suspended``).
    """
    sender, recipient = users.find_parties(sender_id, to_identifier)
    if recipient is None:
        raise NotFound("recipient_not_found", "Nobody has this e-mail address or public id.")
    if recipient.user_id == sender.user_id:
        raise Invalid("self_transfer", "A transfer needs another user.")
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
    return Sent(transfer_id, amount, fee, to_identifier, COMPLETED, note, now, left)


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
