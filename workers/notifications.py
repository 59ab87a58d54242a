"""Letters of what happened are written; the mail room sends them."""

from protonpay.notifications import emails
from workers.job import drain, periodic

_ACCOUNTS = 100


@periodic("notifications.write")
def write() -> None:
    """Write letters of new events and of what stands, and forget which were written long ago."""
    drain(lambda: emails.write(_ACCOUNTS), _ACCOUNTS)
    emails.write_of_notices(_ACCOUNTS)
    emails.prune()
