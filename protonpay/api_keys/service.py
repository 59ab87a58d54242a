"""Make keys, list and revoke them, and open the door to who sends one.

A key is looked up in Postgres on every request that sends it, so a revocation, an expiry or
a suspension acts at once, in every process and whatever Redis knows (docs/adr/0012).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select

from protonpay.api_keys import addresses
from protonpay.api_keys.models import ApiKey, ReplacedSecret
from protonpay.kernel import clock, ids, signing
from protonpay.kernel.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from protonpay.store import db
from protonpay.store.db import LOCK, transaction
from protonpay.store.lists import Part, newest_first
from protonpay.users import service as users
from protonpay.users.service import User

log = structlog.get_logger(__name__)

MOST_KEYS = 20
PREFIX_LENGTH = 12

_USE_NOTED_EVERY = timedelta(minutes=1)

_FIND = """
    WITH sent AS (
        SELECT id AS key_id, NULL::bigint AS retiring, NULL::timestamptz AS ends_at, made_by,
               last_used_at
        FROM api_keys WHERE key_hash = %(hash)s
        UNION ALL
        SELECT key_id, id, ends_at, made_by, last_used_at
        FROM api_key_retiring_secrets WHERE key_hash = %(hash)s)
    SELECT k.id, k.user_id, k.permissions, k.allowed_ips, LEAST(k.expires_at, sent.ends_at),
           k.revoked_at, sent.last_used_at, sent.retiring, u.standing,
           m.standing <> 'ACTIVE' OR m.withdrawals_frozen_at IS NOT NULL
    FROM sent JOIN api_keys k ON k.id = sent.key_id JOIN users u ON u.id = k.user_id
        LEFT JOIN users m ON m.id = sent.made_by
"""
# Waits for nobody: not for a revocation or a neighbour that has the row, nor for the disk.
_NOTE_USE = """
    UPDATE api_keys SET last_used_at = %(now)s, last_used_ip = %(ip)s,
        last_used_method = %(method)s, last_used_route = %(route)s, last_used_agent = %(agent)s
    WHERE id = (
        SELECT id FROM api_keys
        WHERE id = %(id)s AND (last_used_at IS NULL OR last_used_at <= %(before)s)
        FOR NO KEY UPDATE SKIP LOCKED)
"""
_NOTE_REPLACED = """
    UPDATE api_key_retiring_secrets SET last_used_at = %(now)s WHERE id = (
        SELECT id FROM api_key_retiring_secrets
        WHERE id = %(retiring)s AND (last_used_at IS NULL OR last_used_at <= %(before)s)
        FOR NO KEY UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True)
class Use:
    """A request that a key has opened.

    Attributes:
        address: where it came from, as the socket says.
        route: the path, its parts by name.
        agent: what the program calls itself.
    """

    address: str
    method: str
    route: str
    agent: str


@dataclass(frozen=True, slots=True)
class Created:
    """A new key; ``raw_key`` is shown this once."""

    id: str
    name: str
    prefix: str
    raw_key: str
    permissions: Sequence[str]


@dataclass(frozen=True, slots=True)
class Maker:
    """A member of an account who makes a key for it.

    Attributes:
        scopes: all that the key may hold.
    """

    person_id: str
    scopes: Collection[str]


@dataclass(frozen=True, slots=True)
class Opened:
    """A key that was sent and is good.

    Attributes:
        retiring: the row of the secret that was sent, if it is one that was replaced;
            ``last_used_at`` is of the secret, too.
    """

    id: str
    user_id: str
    permissions: Sequence[str]
    last_used_at: datetime | None
    retiring: int | None = None

    def note_use(self, address: str, *, method: str, route: str, agent: str) -> None:
        """Write down when, from where and for what it was used; never in the way.

        Once a minute, for each of its secrets.
        """
        before = clock.now() - _USE_NOTED_EVERY
        if self.last_used_at is None or self.last_used_at <= before:
            _note_use(self, Use(address, method, route, agent), before)


def create(
    user_id: str,
    *,
    name: str,
    permissions: Sequence[str],
    expires_at: datetime | None = None,
    allowed_ips: Sequence[str] = (),
    maker: Maker | None = None,
) -> Created:
    """Make a key.

    Args:
        user_id: whose key it is.
        name: what its owner calls it.
        permissions: scopes, or ``full`` alone.
        expires_at: it opens nothing from then on.
        allowed_ips: networks it may be sent from, as ``addresses.canonical`` spells them.
        maker: the member of the account who makes it; None for its owner.

    Raises:
        Invalid: it would have expired already (``validation_error``).
        Forbidden: the account is suspended, or the key may more than its maker
            (``account_suspended``, ``role_insufficient``).
        Conflict: there are 20 live ones (``too_many_api_keys``).
    """
    raw, now = ids.new_api_key(), clock.now()
    if expires_at is not None and expires_at <= now:
        raise Invalid("validation_error", "expiresAt must be in the future.")
    if maker is not None:
        check_may_hand_on(maker, permissions)
    with transaction() as session:
        check_may_act(users.lock(user_id))
        _check_room(user_id, now)
        key = ApiKey(
            id=ids.new_id(),
            user_id=user_id,
            name=name,
            prefix=raw[:PREFIX_LENGTH],
            key_hash=signing.digest_hex(raw.encode()),
            permissions=list(permissions),
            allowed_ips=list(allowed_ips),
            created_at=now,
            expires_at=expires_at,
            made_by=maker and maker.person_id,
        )
        session.add(key)
    return Created(key.id, name, key.prefix, raw, permissions)


def listed(user_id: str, part: Part) -> Sequence[ApiKey]:
    """Return a part of a user's keys that are not revoked, newest first."""
    return newest_first(ApiKey, part, ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))


def get(user_id: str, key_id: str) -> ApiKey:
    """Return a key of a user.

    Raises:
        NotFound: there is none, it is somebody else's or revoked.
    """
    key = db.db.session.get(ApiKey, key_id)
    if key is None or key.user_id != user_id or key.revoked_at is not None:
        raise _not_found()
    return key


def revoke(user_id: str, key_id: str) -> None:
    """End a key: what is asked with it from now on is refused, in every process.

    Raises:
        NotFound: there is none, it is somebody else's or revoked.
    """
    with transaction():
        locked(user_id, key_id).revoked_at = clock.now()


def locked(user_id: str, key_id: str) -> ApiKey:
    """Return a key of a user, its row locked by the caller's transaction.

    Raises:
        NotFound: there is none, it is somebody else's or revoked.
    """
    key = db.current().get(ApiKey, key_id, with_for_update=LOCK, populate_existing=True)
    if key is None or key.user_id != user_id or key.revoked_at is not None:
        raise _not_found()
    return key


def revoke_beyond(user_id: str, *, made_by: str, allowed: Collection[str]) -> None:
    """End the keys that a member was shown and that hold more than is allowed them now.

    Of a key that has had a new secret since, the old one. In the caller's transaction.
    """
    live = select(ApiKey).where(
        ApiKey.user_id == user_id, ApiKey.made_by == made_by, ApiKey.revoked_at.is_(None)
    )
    for key in db.current().scalars(live.with_for_update(**LOCK)):
        if not set(key.permissions) <= set(allowed):
            key.revoked_at = clock.now()
    shown = (
        select(ReplacedSecret, ApiKey.permissions)
        .join(ApiKey, ApiKey.id == ReplacedSecret.key_id)
        .where(ApiKey.user_id == user_id, ReplacedSecret.made_by == made_by)
    )
    for secret, permissions in db.current().execute(shown).all():
        if not set(permissions) <= set(allowed):
            db.current().delete(secret)


def open_key(raw: str, address: str) -> Opened:
    """Return the key that an address sent; what cannot be one is refused without a query.

    Raises:
        Unauthenticated: not a key of ours or revoked (``api_key_invalid``), or over its time
            (``api_key_expired``).
        Forbidden: not from this address (``ip_not_allowed``); or the account is suspended, or
            that of the member who made the key, or frozen (``account_suspended``).
    """
    if not ids.is_api_key(raw):
        raise Unauthenticated("api_key_invalid", "This is not an API key of ours.")
    row = db.execute(_FIND, {"hash": signing.digest_hex(raw.encode())}).fetchone()
    if row is None:
        raise Unauthenticated("api_key_invalid", "This is not an API key of ours.")
    key_id, user_id, permissions, allowed_ips, expires_at, revoked_at, used_at, *of_it = row
    if revoked_at is not None:
        raise Unauthenticated("api_key_invalid", "This API key was revoked.")
    if expires_at is not None and expires_at <= clock.now():
        raise Unauthenticated("api_key_expired", "This API key has expired.")
    if not addresses.within(allowed_ips, address):
        raise Forbidden("ip_not_allowed", "This API key may not be used from this address.")
    secret, standing, maker_is_stopped = of_it
    if standing != "ACTIVE" or maker_is_stopped:
        raise _suspended()
    return Opened(key_id, user_id, permissions, used_at, secret)


def _check_room(user_id: str, now: datetime) -> None:
    live = select(func.count()).where(
        ApiKey.user_id == user_id,
        ApiKey.revoked_at.is_(None),
        ApiKey.expires_at.is_(None) | (ApiKey.expires_at > now),
    )
    if db.current().scalars(live).one() >= MOST_KEYS:
        said = "At most {limit} live keys: revoke one."
        raise Conflict("too_many_api_keys", said, limit=MOST_KEYS)


def check_may_act(user: User) -> None:
    """See that an account may have keys made for it.

    Raises:
        Forbidden: it is suspended (``account_suspended``).
    """
    if user.standing != "ACTIVE":
        raise _suspended()


def check_may_hand_on(maker: Maker, permissions: Sequence[str]) -> None:
    """See that a member is shown no key that may more than they.

    Raises:
        Forbidden: it may (``role_insufficient``).
    """
    if not set(permissions) <= set(maker.scopes):
        said, scopes = "Your role makes keys with nothing but {scopes}.", sorted(maker.scopes)
        raise Forbidden("role_insufficient", said, scopes=" + ".join(scopes))


def _note_use(key: Opened, use: Use, before: datetime) -> None:
    seen = addresses.seen(use.address)
    told = {
        "id": key.id,
        "retiring": key.retiring,
        "now": clock.now(),
        "before": before,
        "ip": str(seen) if seen else None,
        "method": use.method,
        "route": use.route,
        "agent": use.agent,
    }
    try:
        with transaction():
            db.commit_without_waiting()
            db.execute(_NOTE_USE, told)
            if key.retiring is not None:
                db.execute(_NOTE_REPLACED, told)
    except Unavailable as error:
        log.warning("key_use_not_noted", error=repr(error))


def _suspended() -> Forbidden:
    return Forbidden("account_suspended", "This account is suspended.")


def _not_found() -> NotFound:
    return NotFound("not_found", "There is no such key.")
