"""What operators see of an identity check: what was submitted, and documents one by one."""

from collections.abc import Sequence
from dataclasses import dataclass

from protonpay.admin import acts
from protonpay.kyc import documents
from protonpay.kyc import service as kyc
from protonpay.kyc.documents import KycDocument, Opened
from protonpay.kyc.service import Person, Standing
from protonpay.operators.service import Caller
from protonpay.store.db import transaction
from protonpay.users import service as users


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity check with what was submitted."""

    user_id: str
    email: str
    standing: Standing
    person: Person
    documents: Sequence[KycDocument]


def identity(user_id: str) -> Identity:
    """Return an identity check, opened for an operator's eyes.

    Raises:
        NotFound: there is no such user, or they never submitted one.
    """
    return Identity(
        user_id,
        users.get(user_id).email,
        kyc.standing(user_id),
        kyc.person(user_id),
        documents.submitted(user_id),
    )


def look(by: Caller, document_id: str, reason: str) -> Opened:
    """Open a document for somebody, once it is written down that they look.

    Raises:
        Forbidden: the role may not.
        NotFound: there is no such document.
        Conflict: it was dropped (``document_dropped``).
    """
    by.check("kyc.documents")
    with transaction():
        opened = documents.opened(document_id)
        subject = f"user {opened.document.user_id}"
        acts.looked(by, "kyc.documents.look", subject, reason, {"document": document_id})
    return opened
