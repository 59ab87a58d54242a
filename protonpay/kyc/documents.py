"""Documents of identity checks: taken in by their content, kept sealed, dropped in time.

A document that its owner has uploaded is a draft until the next submission takes it along; what
is uploaded while a case waits is part of it at once. Of what was submitted nothing can be
removed, so that nobody changes what a decision rests upon.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import and_, func, or_, select, update

from protonpay.kernel import clock, ids
from protonpay.kernel.errors import Conflict, Invalid, NotFound
from protonpay.kyc import service
from protonpay.kyc.formats import media_type_of
from protonpay.kyc.models import DOCUMENT_PURPOSE, KycCase, KycDocument
from protonpay.store.db import LOCK, current, db, transaction
from protonpay.store.secrets import safe
from protonpay.users import service as users

__all__ = [
    "KycDocument",
    "Opened",
    "Retention",
    "Upload",
    "add",
    "drop_over",
    "get",
    "kept",
    "opened",
    "remove",
    "retention",
    "submitted",
]

LARGEST_BYTES = 5 * 1024 * 1024
MOST_DOCUMENTS = 6
"""Of one submission."""
DRAFTS_KEPT = timedelta(days=30)
"""How long a document waits to be submitted."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What somebody sends.

    Attributes:
        kind: one of ``states.DOCUMENT_KINDS``.
        content: its bytes; only their digest is ever printed.
    """

    kind: str
    content: bytes = field(repr=False)
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        """Name the content by its SHA-256."""
        object.__setattr__(self, "digest", hashlib.sha256(self.content).hexdigest())


@dataclass(frozen=True, slots=True)
class Opened:
    """A document with its content, for the eyes of who decides."""

    document: KycDocument
    content: bytes = field(repr=False)


class Retention:
    """How long documents are kept after the decision, bound by create_app."""

    def __init__(self) -> None:
        self.kept = timedelta(days=1)

    def bind(self, days: int) -> None:
        """Set after how many days they are dropped."""
        self.kept = timedelta(days=days)


retention = Retention()


def add(user_id: str, upload: Upload) -> KycDocument:
    """Keep a document for a user's identity check.

    Raises:
        Invalid: empty or too large (``document_too_large``), or neither JPEG nor PNG nor PDF by
            its content (``unsupported_document``).
        Conflict: the identity is approved (``state_conflict``), or there are enough
            (``too_many_documents``).
    """
    size, media_type = len(upload.content), media_type_of(upload.content)
    if size > LARGEST_BYTES:
        said = "A document has at most {limit} bytes."
        raise Invalid("document_too_large", said, limit=LARGEST_BYTES)
    if media_type is None:
        raise Invalid("unsupported_document", "A document is a JPEG, a PNG or a PDF.")
    document_id, now = ids.new_id(), clock.now()
    purpose = DOCUMENT_PURPOSE.format(id=document_id, user_id=user_id)
    document = KycDocument(
        id=document_id,
        user_id=user_id,
        kind=upload.kind,
        media_type=media_type,
        size_bytes=size,
        content=safe.seal_bytes(upload.content, purpose),
        uploaded_at=now,
    )
    with transaction() as session:
        users.lock(user_id)
        case = service.standing(user_id)
        if case.status == "APPROVED":
            raise Conflict("state_conflict", "Your identity is approved: nothing more is needed.")
        waits = case.status == "PENDING"
        document.submitted_at = now if waits else None
        if _count(user_id, case if waits else None) >= MOST_DOCUMENTS:
            said = "At most {limit} documents."
            raise Conflict("too_many_documents", said, limit=MOST_DOCUMENTS)
        session.add(document)
    return document


def kept(user_id: str) -> Sequence[KycDocument]:
    """Return a user's documents, the oldest first, without their contents."""
    mine = select(KycDocument).where(
        KycDocument.user_id == user_id, KycDocument.dropped_at.is_(None)
    )
    return db.session.scalars(mine.order_by(KycDocument.uploaded_at, KycDocument.id)).all()


def remove(user_id: str, document_id: str) -> None:
    """Remove a document that was not submitted.

    Raises:
        NotFound: there is none, or it is somebody else's.
        Conflict: it is part of a case (``state_conflict``).
    """
    with transaction() as session:
        users.lock(user_id)
        document = _find(document_id)
        if document is None or document.user_id != user_id:
            raise _not_found()
        if document.submitted_at is not None:
            raise Conflict("state_conflict", "This document was submitted: it stays.")
        session.delete(document)


def get(document_id: str) -> KycDocument:
    """Return a document without its content, whosever it is.

    Raises:
        NotFound: there is none.
    """
    document = _find(document_id)
    if document is None:
        raise _not_found()
    return document


def opened(document_id: str) -> Opened:
    """Open a document; who shows it to somebody writes that down.

    Raises:
        NotFound: there is none.
        Conflict: its time is over (``document_dropped``).
        Unreadable: no key opens it.
    """
    document = get(document_id)
    if document.dropped_at is not None:
        raise Conflict("document_dropped", "This document was dropped when its time was over.")
    sealed = db.session.scalars(
        select(KycDocument.content).where(KycDocument.id == document_id)
    ).one()
    purpose = DOCUMENT_PURPOSE.format(id=document_id, user_id=document.user_id)
    return Opened(document, safe.open_bytes(sealed, purpose))


def submitted(user_id: str) -> Sequence[KycDocument]:
    """Return what a user ever submitted, the oldest first, without contents; dropped ones too."""
    theirs = select(KycDocument).where(
        KycDocument.user_id == user_id, KycDocument.submitted_at.is_not(None)
    )
    return db.session.scalars(theirs.order_by(KycDocument.uploaded_at, KycDocument.id)).all()


def drop_over(limit: int) -> int:
    """Drop the contents whose time is over; return how many.

    Submitted ones so long after the last decision as is set; a case that waits keeps all of its
    documents. Drafts that were never submitted ``DRAFTS_KEPT`` after their upload.
    """
    now = clock.now()
    decided = and_(
        KycDocument.submitted_at.is_not(None),
        KycCase.state.in_(["APPROVED", "REJECTED"]),
        KycCase.decided_at <= now - retention.kept,
    )
    forgotten = and_(
        KycDocument.submitted_at.is_(None), KycDocument.uploaded_at <= now - DRAFTS_KEPT
    )
    with transaction() as session:
        over = session.scalars(
            select(KycDocument.id)
            .outerjoin(KycCase, KycCase.user_id == KycDocument.user_id)
            .where(KycDocument.dropped_at.is_(None), or_(decided, forgotten))
            .limit(limit)
            .with_for_update(**LOCK, of=KycDocument, skip_locked=True)
        ).all()
        session.execute(
            update(KycDocument)
            .where(KycDocument.id.in_(over))
            .values(content=b"", dropped_at=now)
            .execution_options(synchronize_session=False)
        )
    return len(over)


def _count(user_id: str, case: service.Standing | None) -> int:
    """Count the documents of the case that waits, or else the drafts."""
    mine = select(func.count()).where(
        KycDocument.user_id == user_id, KycDocument.dropped_at.is_(None)
    )
    if case is None:
        mine = mine.where(KycDocument.submitted_at.is_(None))
    else:
        mine = mine.where(KycDocument.submitted_at >= case.submitted_at)
    return current().scalar(mine) or 0


def _find(document_id: str) -> KycDocument | None:
    return db.session.get(KycDocument, document_id, populate_existing=True)


def _not_found() -> NotFound:
    return NotFound("not_found", "There is no such document.")
