"""A new secret for an endpoint, while the old one still verifies (API reference §2.6).

During the overlap the header carries a signature by each living secret, so that a receiver can
change over at any moment of it. The signature in the body is one: by the oldest living secret,
until that ends.
"""

from datetime import timedelta

from protonpay.kernel import clock, ids
from protonpay.store import overlaps
from protonpay.store.db import transaction
from protonpay.store.secrets import safe
from protonpay.webhooks import service
from protonpay.webhooks.models import SECRET_PURPOSE, RetiringSecret, WebhookEndpoint

DEFAULT_OVERLAP, LONGEST_OVERLAP = overlaps.USUAL, overlaps.LONGEST


def rotate(user_id: str, endpoint_id: str, *, overlap: timedelta) -> tuple[WebhookEndpoint, str]:
    """Give an endpoint a new secret; return both, the secret shown this once.

    Args:
        user_id: whose endpoint.
        endpoint_id: which.
        overlap: how long the old secret still verifies; zero for one that has leaked: then
            every older one ends at once, too.

    Raises:
        NotFound: there is no such endpoint, or it is somebody else's.
        Conflict: three secrets are alive (``too_many_secrets``).
    """
    now, fresh = clock.now(), ids.new_webhook_secret()
    with transaction() as session:
        endpoint = service.locked(user_id, endpoint_id)
        overlaps.make_room(RetiringSecret, RetiringSecret.endpoint_id == endpoint_id, overlap)
        if overlap:
            session.add(
                RetiringSecret(
                    endpoint_id=endpoint_id,
                    secret=endpoint.secret,
                    retired_at=now,
                    ends_at=now + overlap,
                )
            )
        endpoint.secret = safe.seal(fresh, SECRET_PURPOSE)
    return endpoint, fresh
