"""Letters of what happened: a second reader of the event log, which writes to an account's owner.

Where they chose: by mail, in Telegram, or both.

How far it has read moves in the transaction that writes the letters, so each event is considered
once, whoever dies in between; which letters were written stands beside it under a unique key. What
stands to be mended is looked for where it stands, and has its row in the same table.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from protonpay.kernel import clock, events, notices, zones
from protonpay.kernel.errors import Unavailable
from protonpay.kernel.money import Usdc
from protonpay.locales import formats
from protonpay.mail import service as mail
from protonpay.mail import writing
from protonpay.mail.service import office
from protonpay.notifications.standing import WARNED_BEFORE
from protonpay.store import db
from protonpay.store import events as log
from protonpay.store.db import transaction
from protonpay.telegram import service as telegram
from protonpay.telegram.telling import tell
from protonpay.users import service as users
from protonpay.users.service import User

logger = structlog.get_logger(__name__)

MOST_AN_HOUR = 20
"""Events an hour of which an account is written; what is beyond them is behind the bell alone."""
WANTED_FOR = timedelta(days=30)
"""That money came in is news two days later, too, if nothing could write or send before."""
TEMPLATES: Mapping[str, tuple[str, str]] = {
    events.DEPOSIT_CONFIRMED: ("deposit_credited", "/app/deposits/{id}"),
    events.DEPOSIT_CARD_SUCCESS: ("deposit_credited", "/app/deposits/{id}"),
    events.DEPOSIT_CARD_REFUNDED: ("deposit_refunded", "/app/deposits/{id}"),
    notices.DEPOSIT_ON_HOLD: ("deposit_on_hold", "/app/deposits/{id}"),
    events.PAYOUT_COMPLETED: ("withdrawal_arrived", "/app/withdrawals/{id}"),
    events.PAYOUT_FAILED: ("withdrawal_failed", "/app/withdrawals/{id}"),
    events.TRANSFER_COMPLETED: ("transfer_sent", "/app/transfers/{id}"),
    events.INVOICE_PAID: ("invoice_paid", "/app/invoices/{id}"),
    events.INVOICE_PARTIALLY_PAID: ("invoice_paid_in_part", "/app/invoices/{id}"),
    events.INVOICE_OVERPAID: ("invoice_overpaid", "/app/invoices/{id}"),
    events.INVOICE_LATE_PAYMENT: ("invoice_paid_late", "/app/invoices/{id}"),
    events.INVOICE_EXPIRED: ("invoice_expired", "/app/invoices/{id}"),
    events.INVOICE_CANCELLED: ("invoice_cancelled", "/app/invoices/{id}"),
    events.INVOICE_REFUNDED: ("invoice_refunded", "/app/invoices/{id}"),
    events.KYC_APPROVED: ("identity_approved", "/app/identity"),
    events.KYC_REJECTED: ("identity_rejected", "/app/identity"),
    notices.API_KEY_EXPIRING: ("api_key_expiring", "/app/keys"),
}
"""Kind → its template, and where its letter leads; of other kinds the rooms write that know why."""

_KEPT = timedelta(days=90)
_AT_ONCE = 50
_RECEIVED = "transfer_received"
_READ = """
    SELECT id, name, core, happened_at, sequence FROM events
    WHERE user_id = %(user)s AND sequence > %(told)s AND sequence <= %(last)s
      AND audience IS NULL AND name = ANY(%(names)s) AND happened_at >= %(since)s
    ORDER BY sequence LIMIT %(limit)s
"""
_LATELY = """
    SELECT count(*) FROM notification_letters
    WHERE user_id = %(user)s AND created_at > %(since)s AND subject LIKE 'evt~_%%' ESCAPE '~'
"""
_WRITTEN = """
    INSERT INTO notification_letters (subject, user_id, created_at)
    VALUES (%(subject)s, %(user)s, %(now)s) ON CONFLICT (subject) DO NOTHING
"""
# Who made a key for days knows that it lives for days.
_STANDING = """
    SELECT * FROM (
        SELECT %(expiring)s || ':' || id AS subject, user_id, %(expiring)s AS kind, id, name,
               expires_at AS moment, NULL::bigint AS amount, NULL AS invoice_id
        FROM api_keys WHERE revoked_at IS NULL AND expires_at > %(now)s
          AND expires_at <= %(now)s + %(before)s AND created_at < expires_at - %(before)s
        UNION ALL
        SELECT %(held)s || ':' || id, user_id, %(held)s, id, NULL, created_at,
               amount_micro - commission_micro, NULL
        FROM deposits WHERE state = 'ON_HOLD'
        UNION ALL
        SELECT %(held)s || ':' || id, owner_id, %(held)s, id, NULL, created_at,
               amount_micro - commission_micro, invoice_id
        FROM invoice_payments WHERE state = 'ON_HOLD') AS standing
    WHERE NOT EXISTS (
        SELECT FROM notification_letters AS written WHERE written.subject = standing.subject)
    LIMIT %(limit)s
"""
_PRUNE = """
    DELETE FROM notification_letters WHERE subject IN (
        SELECT subject FROM notification_letters WHERE created_at < %(before)s
          AND subject LIKE 'evt~_%%' ESCAPE '~' LIMIT 1000)
"""


@dataclass(frozen=True, slots=True)
class _Told:
    """What a letter tells of."""

    subject: str
    kind: str
    data: Mapping[str, Any]
    at: datetime


def write(limit: int) -> int:
    """Write the letters of what has happened in accounts; return in how many something had.

    Args:
        limit: at most so many accounts, and fifty events of each.
    """
    written = 0
    for user_id, told, last in log.untold(limit):
        try:
            _write(user_id, told, last)
            written += 1
        except Unavailable:
            raise
        except Exception:
            # A mistake of ours in one letter; the letters of others are written all the same.
            logger.exception("letters_not_written", user_id=user_id)
    return written


def write_of_notices(limit: int) -> int:
    """Write the letters of what stands to be mended, once for each thing; return how many stood."""
    asked = {
        "now": clock.now(),
        "before": WARNED_BEFORE,
        "expiring": notices.API_KEY_EXPIRING,
        "held": notices.DEPOSIT_ON_HOLD,
        "limit": limit,
    }
    rows = db.execute(_STANDING, asked).fetchall()
    for subject, user_id, kind, thing_id, name, moment, amount, invoice_id in rows:
        data = {"id": thing_id, "key": name, "invoiceId": invoice_id}
        if amount is not None:
            data["amount"] = str(Usdc(amount))
        with transaction():
            owner = users.get(user_id)
            _post(owner, _Told(subject, kind, data, moment), mail.USEFUL_FOR)
    return len(rows)


def prune() -> None:
    """Forget which letters of events were written long ago."""
    with transaction():
        db.execute(_PRUNE, {"before": clock.now() - _KEPT})


def _write(user_id: str, told: int, last: int) -> None:
    with transaction():
        owner = users.get(user_id)
        room = MOST_AN_HOUR - _lately(user_id)
        happened = _read(owner, told, last) if room > 0 else []
        # There may be more of them than one transaction should write.
        reached = happened[-1][1] if len(happened) == _AT_ONCE else last
        if log.tell(user_id, told, reached):
            for one, _ in happened[:room]:
                _post(owner, one, one.at + WANTED_FOR - clock.now())


def _lately(user_id: str) -> int:
    asked = {"user": user_id, "since": clock.now() - timedelta(hours=1)}
    (count,) = db.execute(_LATELY, asked).fetchone() or (0,)
    return int(count)


def _read(owner: User, told: int, last: int) -> Sequence[tuple[_Told, int]]:
    linked = telegram.standing(owner.id).linked
    asked = {
        "user": owner.id,
        "told": told,
        "last": last,
        "names": [
            kind
            for kind in TEMPLATES
            if users.wants_letter(owner, kind) or (linked and users.wants_message(owner, kind))
        ],
        "since": clock.now() - WANTED_FOR,
        "limit": _AT_ONCE,
    }
    return [
        (_Told(event_id, name, json.loads(core)["data"], at), sequence)
        for event_id, name, core, at, sequence in db.execute(_READ, asked)
    ]


def _post(owner: User, told: _Told, useful_for: timedelta) -> None:
    """Write of one thing, in the caller's transaction, where it is wanted and if it is new."""
    asked = {"subject": told.subject, "user": owner.id, "now": clock.now()}
    if db.execute(_WRITTEN, asked).rowcount != 1:
        return
    template, path = TEMPLATES[told.kind]
    if told.data.get("direction") == "IN":
        template = _RECEIVED
    if told.data.get("invoiceId") is not None:
        path = "/app/invoices/{invoiceId}"
    values = {
        "name": owner.name,
        "when": formats.moment(owner.language, told.at, zones.zone(owner.time_zone)),
        "link": office.address(path.format(**told.data)),
        "choose": office.address("/app/notifications/preferences"),
        **_members(owner.language, told.data),
    }
    wanted = writing.placeholders(template, owner.language)
    said = {name: values[name] for name in wanted}
    tell(owner, told.kind, template, said, useful_for=useful_for)


def _members(language: str, data: Mapping[str, Any]) -> dict[str, str]:
    """Return the members of an event as letters name and write them."""
    said = {}
    for name, value in data.items():
        if name in _AMOUNTS and value is not None:
            said[_AMOUNTS[name]] = formats.usdc(language, Usdc.parse(str(value)))
        elif name in _NAMES and value is not None:
            said[_NAMES[name]] = str(value)
    return said


_AMOUNTS = {
    "amount": "amount",
    "amountPaid": "paid",
    "overpaidAmount": "over",
    "refundAmount": "refunded",
    "refundedAmount": "refunded",
}
_NAMES = {
    "to": "recipient",
    "from": "sender",
    "walletAddress": "address",
    "network": "network",
    "key": "key",
}
