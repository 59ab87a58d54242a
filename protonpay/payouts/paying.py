"""What waits on a network leaves: signed, stored and handed in, one step right after the other."""

from protonpay.payouts import sending, signing
from protonpay.store.jobs import Later


def pay(payout_id: str) -> Later | None:
    """Sign a payout with what can leave along with it, and hand that in.

    Should it end between the two, the rows that the signatures were stored with are handed out to
    another worker, and the stored bytes are handed in by it.
    """
    signed = signing.sign(payout_id)
    if signed.attempt_ids:
        sending.broadcast(*signed.attempt_ids)
    return signed.later
