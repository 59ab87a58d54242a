"""Identity checks: providers are asked, and documents do not stay for longer than they must."""

import structlog

from protonpay.kyc import checking, documents
from protonpay.store.jobs import Later
from workers.job import drain, job, periodic

log = structlog.get_logger(__name__)

_DOCUMENTS = 100


@job("kyc.check")
def check(case_id: str, submission: int) -> Later | None:
    """Ask the provider of a case about it."""
    return checking.check(case_id, submission)


@periodic("kyc.drop_documents")
def drop_documents() -> None:
    """Drop the documents whose time is over."""

    def batch() -> int:
        dropped = documents.drop_over(_DOCUMENTS)
        if dropped:
            log.info("kyc_documents_dropped", count=dropped)
        return dropped

    drain(batch, _DOCUMENTS)
