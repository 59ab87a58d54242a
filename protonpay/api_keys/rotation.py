"""A new secret for a key, while the old one still opens (as of webhooks: ``webhooks/rotation.py``).

The key stays what it is: its id, its name, what it may do, from where and until when.
"""

from datetime import timedelta

from protonpay.api_keys import service
from protonpay.api_keys.models import ReplacedSecret
from protonpay.api_keys.service import Created, Maker
from protonpay.kernel import clock, ids, signing
from protonpay.kernel.errors import Conflict
from protonpay.store import overlaps
from protonpay.store.db import transaction
from protonpay.users import service as users

DEFAULT_OVERLAP, LONGEST_OVERLAP = overlaps.USUAL, overlaps.LONGEST


def rotate(user_id: str, key_id: str, *, overlap: timedelta, maker: Maker | None = None) -> Created:
    """Give a key a new secret; it is shown this once.

    Args:
        user_id: whose key.
        key_id: which.
        overlap: how long the old secret still opens; zero for one that has leaked: then every
            older one ends at once, too.
        maker: the member of the account who is shown it; None for its owner.

    Raises:
        NotFound: there is no such key, it is somebody else's or revoked.
        Forbidden: the account is suspended, or the key may more than its maker
            (``account_suspended``, ``role_insufficient``).
        Conflict: three secrets are alive (``too_many_secrets``), or the key's own time is over
            (``state_conflict``).
    """
    now, fresh = clock.now(), ids.new_api_key()
    with transaction() as session:
        service.check_may_act(users.lock(user_id))
        key = service.locked(user_id, key_id)
        if maker is not None:
            service.check_may_hand_on(maker, key.permissions)
        if key.expires_at is not None and key.expires_at <= now:
            raise Conflict("state_conflict", "This API key has expired.")
        overlaps.make_room(ReplacedSecret, ReplacedSecret.key_id == key_id, overlap)
        if overlap:
            session.add(
                ReplacedSecret(
                    key_id=key_id,
                    prefix=key.prefix,
                    key_hash=key.key_hash,
                    made_by=key.made_by,
                    retired_at=now,
                    ends_at=now + overlap,
                    last_used_at=key.last_used_at,
                )
            )
        key.prefix = fresh[: service.PREFIX_LENGTH]
        key.key_hash = signing.digest_hex(fresh.encode())
        key.made_by = None if maker is None else maker.person_id
    return Created(key.id, key.name, key.prefix, fresh, key.permissions)
