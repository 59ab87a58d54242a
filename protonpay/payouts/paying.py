"""What waits on a network leaves: signed, stored and handed in, one step right after the other."""

from protonpay.payouts import sending, signing
from protonpay.store.jobs import Later


def pay(payout_id: str) -> Later | None:
    """Sign a payout with what can leave along with it, and hand that in.

    Should it end between the two, the row that the signature was stored with is handed out to
    another worker, and the stored bytes are handed in by it.
    """
    signed = signing.sign(payout_id)
    if signed.attempt_id is not None:
        sending.broadcast(signed.attempt_id)
    return signed.later
