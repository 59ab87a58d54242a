"""Ask the provider of a case what it knows: hand it in once, ask until there is a verdict.

Each step may run twice: the provider takes an application once under its id, the reference is
kept for this submission alone, and a verdict decides only what still waits. An operator may
decide meanwhile; then there is nothing left to ask.
"""

import structlog
from sqlalchemy import select, update

from protonpay.identity.port import Application, IdentityProvider, Outcome, Paper, Verdict
from protonpay.identity.registry import identity_providers
from protonpay.kernel.errors import Unavailable
from protonpay.kyc import documents, service
from protonpay.kyc.models import KycCase
from protonpay.store.db import db, release, transaction
from protonpay.store.jobs import Later
from protonpay.wire.http import NoAnswer

log = structlog.get_logger(__name__)

_NO_ANSWER_SECONDS = 30
_NOT_SET_UP_SECONDS = 300


def check(case_id: str, submission: int) -> Later | None:
    """Ask about one submission of a case."""
    case = db.session.get_one(KycCase, case_id, populate_existing=True)
    if (case.state, case.submission) != ("PENDING", submission):
        return None
    user_id = case.user_id
    try:
        provider = identity_providers.get(case.provider)
        verdict = _verdict(provider, case)
    except NoAnswer as unknown:
        return Later(_NO_ANSWER_SECONDS, repr(unknown))
    except Unavailable as missing:
        log.warning("identity_provider_missing", case_id=case_id, provider=case.provider)
        return Later(_NOT_SET_UP_SECONDS, missing.code)
    if verdict.outcome is Outcome.UNKNOWN:
        again = provider.ask_again_seconds
        return None if again is None else Later(again, "the provider does not know yet")
    approved = verdict.outcome is Outcome.YES
    if service.decide(user_id, submission, approved=approved, reason=verdict.reason):
        log.info("identity_judged", case_id=case_id, provider=provider.name, approved=approved)
    return None


def _verdict(provider: IdentityProvider, case: KycCase) -> Verdict:
    reference = case.reference
    if reference is None:
        application = _application(case)
        # Nobody's connection is held while somebody outside thinks.
        release()
        reference = provider.hand_in(application)
        _keep(case.id, case.submission, reference)
    release()
    return provider.verdict(reference)


def _application(case: KycCase) -> Application:
    person = service.person(case.user_id)
    return Application(
        id=f"{case.id}-{case.submission}",
        full_name=person.full_name,
        date_of_birth=person.date_of_birth,
        country=person.country,
        document_kind=person.document_kind,
        document_number=person.document_number,
        papers=[
            Paper(each.document.kind, each.document.media_type, each.content)
            for each in map(documents.opened, _of_submission(case))
        ],
    )


def _of_submission(case: KycCase) -> list[str]:
    mine = documents.submitted(case.user_id)
    return [
        each.id
        for each in mine
        if each.dropped_at is None and (each.submitted_at or each.uploaded_at) >= case.submitted_at
    ]


def _keep(case_id: str, submission: int, reference: str) -> None:
    this = select(KycCase.id).where(KycCase.id == case_id, KycCase.submission == submission)
    with transaction() as session:
        session.execute(update(KycCase).where(KycCase.id.in_(this)).values(reference=reference))
