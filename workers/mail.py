"""Letters go out."""

from protonpay.auth import email_tokens
from protonpay.mail import service
from protonpay.store.jobs import Later
from workers.job import job, periodic


@job("mail.send")
def send(letter_id: str) -> Later | None:
    """Send one letter."""
    return service.send(letter_id)


@periodic("mail.beat")
def beat() -> None:
    """Show that the queue is served, and forget what ended long ago."""
    service.prune()
    email_tokens.prune()
