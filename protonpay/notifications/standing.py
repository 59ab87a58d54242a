"""Notices: what is wrong in an account now. They are read where it stands, and end when it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from protonpay.kernel import clock, notices
from protonpay.kernel.money import Usdc
from protonpay.store import db

WARNED_BEFORE = timedelta(days=7)
"""For how long it is said that a key is about to expire."""

# An endpoint that its owner has disabled is no trouble; one that fails is, from the moment on when
# its owner is warned of it.
_STANDING = """
    SELECT endpoint.id, CASE WHEN endpoint.disabled_at IS NULL
               THEN %(failing)s ELSE %(disabled)s END AS kind,
           coalesce(endpoint.disabled_at, lane.warned_at) AS created_at,
           endpoint.url AS name, endpoint.disabled_reason AS reason, lane.failing_since AS moment,
           NULL::bigint AS amount, NULL AS network, NULL AS invoice_id
    FROM webhook_endpoints AS endpoint
    LEFT JOIN webhook_lanes AS lane ON lane.endpoint_id = endpoint.id
    WHERE endpoint.user_id = %(account)s AND endpoint.deleted_at IS NULL AND %(builds)s
      AND CASE WHEN endpoint.disabled_at IS NULL THEN lane.warned_at IS NOT NULL
               ELSE endpoint.disabled_reason <> 'by_owner' END
    UNION ALL
    SELECT id, %(expiring)s, greatest(created_at, expires_at - %(before)s), name, NULL, expires_at,
           NULL, NULL, NULL
    FROM api_keys
    WHERE user_id = %(account)s AND revoked_at IS NULL AND %(builds)s
      AND expires_at > %(now)s AND expires_at <= %(now)s + %(before)s
    UNION ALL
    SELECT id, %(held)s, created_at, NULL, NULL, NULL, amount_micro - commission_micro,
           network, NULL
    FROM deposits WHERE user_id = %(account)s AND state = 'ON_HOLD'
    UNION ALL
    SELECT id, %(held)s, created_at, NULL, NULL, NULL, amount_micro - commission_micro,
           network, invoice_id
    FROM invoice_payments
    WHERE owner_id = %(account)s AND method = 'CRYPTO' AND state = 'ON_HOLD'
    ORDER BY created_at DESC, id DESC LIMIT %(limit)s
"""
_MOST = 100


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that is wrong now.

    Attributes:
        id: of the thing that it is about.
        kind: one of ``kernel/notices.py``.
        data: what is said of the thing, member by member.
        created_at: since when.
    """

    id: str
    kind: str
    data: Mapping[str, Any]
    created_at: datetime


def standing(account_id: str, *, builds: bool) -> Sequence[Notice]:
    """Return what is wrong in an account now, newest first, a hundred at most.

    Args:
        account_id: whose.
        builds: whether what only who builds may open is among it: keys and endpoints.
    """
    parameters = {
        "account": account_id,
        "builds": builds,
        "now": clock.now(),
        "before": WARNED_BEFORE,
        "failing": notices.WEBHOOK_FAILING,
        "disabled": notices.WEBHOOK_DISABLED,
        "expiring": notices.API_KEY_EXPIRING,
        "held": notices.DEPOSIT_ON_HOLD,
        "limit": _MOST,
    }
    return [_notice(row) for row in db.execute(_STANDING, parameters)]


def _notice(row: Sequence[Any]) -> Notice:
    thing_id, kind, created_at, name, reason, moment, amount, network, invoice_id = row
    told: dict[str, Any] = {"id": thing_id}
    if kind == notices.API_KEY_EXPIRING:
        told |= {"name": name, "expiresAt": clock.to_text(moment)}
    elif kind == notices.DEPOSIT_ON_HOLD:
        told |= {"amount": str(Usdc(amount)), "network": network, "invoiceId": invoice_id}
    elif kind == notices.WEBHOOK_DISABLED:
        told |= {"url": name, "disabledReason": reason}
    else:
        told |= {"url": name, "failingSince": clock.to_text(moment)}
    return Notice(thing_id, kind, told, created_at)
