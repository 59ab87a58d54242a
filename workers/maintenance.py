"""What keeps the house: folding, sealing, auditing, pruning, reaping."""

import structlog

from protonpay.ledger import audit as books
from protonpay.ledger import seals
from protonpay.ledger import service as ledger
from protonpay.payouts import payees
from protonpay.request_log import recording as request_log
from protonpay.store import idempotency, months, outbox
from workers.job import drain, periodic

log = structlog.get_logger(__name__)

_ACCOUNTS = 1000
_KEYS = 1000
_REQUESTS = 500


@periodic("ledger.fold")
def fold_balances() -> None:
    """Fold appended credits into balances."""
    drain(lambda: ledger.fold(_ACCOUNTS), _ACCOUNTS)


@periodic("ledger.seal")
def seal_entries() -> None:
    """Seal what was posted into the chain."""
    drain(lambda: seals.seal().entries, seals.BATCH)


@periodic("ledger.audit")
def audit() -> None:
    """Check every invariant of the book, and shout if one is broken."""
    for finding in books.findings():
        log.error("ledger_broken", invariant=finding.invariant, detail=finding.detail)


@periodic("store.prune")
def prune() -> None:
    """Delete what nobody will ask for: finished outbox rows, old looks at payees."""
    outbox.prune()
    payees.forget()


@periodic("store.months")
def keep_months() -> None:
    """Make the months to come of events and deliveries, and drop those that are too old."""
    kept = months.keep()
    if kept.dropped:
        log.info("months_dropped", months=kept.dropped)
    for month in kept.blocked:
        log.error("month_came_too_late", month=month)


@periodic("requests.collect")
def collect_requests() -> None:
    """Make rows of what keys asked."""
    drain(lambda: request_log.collect(_REQUESTS), _REQUESTS)


@periodic("idempotency.reap")
def reap_keys() -> None:
    """Forget the secrets of answers, then idempotency keys whose time is over."""
    drain(lambda: idempotency.forget_secrets(_KEYS), _KEYS)
    drain(lambda: idempotency.reap(_KEYS), _KEYS)
