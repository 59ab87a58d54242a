"""Documents of identity checks do not stay for longer than they must."""

import structlog

from protonpay.kyc import documents
from workers.job import drain, periodic

log = structlog.get_logger(__name__)

_DOCUMENTS = 100


@periodic("kyc.drop_documents")
def drop_documents() -> None:
    """Drop the documents whose time is over."""

    def batch() -> int:
        dropped = documents.drop_over(_DOCUMENTS)
        if dropped:
            log.info("kyc_documents_dropped", count=dropped)
        return dropped

    drain(batch, _DOCUMENTS)
