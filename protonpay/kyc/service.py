"""Submit a case, see where it stands, decide it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import select, update

from protonpay.identity.registry import identity_providers
from protonpay.kernel import clock, events, ids
from protonpay.kernel.errors import Conflict, Invalid, NotFound
from protonpay.kyc.models import PURPOSE, KycCase, KycDocument
from protonpay.kyc.states import CASE, REASONS
from protonpay.store import outbox
from protonpay.store.db import db, transaction
from protonpay.store.events import publish
from protonpay.store.secrets import safe
from protonpay.users import service as users
from protonpay.users.states import LEVELS


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody says they are, and the paper that proves it.

    Attributes:
        country: of the document, ISO 3166-1 alpha-2.
    """

    full_name: str
    date_of_birth: date
    country: str
    document_kind: str
    document_number: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a user's identity check stands, as they may know it."""

    status: str
    reason: str | None = None
    submitted_at: datetime | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case that waits for an operator, opened for their eyes."""

    user_id: str
    email: str
    submitted_at: datetime
    person: Person


def standing(user_id: str) -> Standing:
    """Return where a user's identity check stands; before the first submission, nowhere."""
    case = _case(user_id)
    return Standing(CASE.initial) if case is None else _standing(case)


def submit(user_id: str, person: Person) -> Standing:
    """Hand in a case with the documents uploaded for it, or another one after a rejection.

    Raises:
        Conflict: one is waiting, or the identity is approved (``state_conflict``).
    """
    with transaction() as session:
        users.lock(user_id)
        case = _case(user_id)
        if case is None:
            case = KycCase(id=ids.new_id(), user_id=user_id, state=CASE.initial, submission=0)
            session.add(case)
        if not CASE.may(case.state, "PENDING"):
            said = "Your identity check is being looked at, or has been approved."
            raise Conflict("state_conflict", said)
        case.state, case.reason = "PENDING", None
        now = clock.now()
        case.submitted_at, case.decided_at = now, None
        case.submission += 1
        case.provider, case.reference = identity_providers.chosen, None
        case.person = safe.seal(_as_text(person), PURPOSE.format(user_id=user_id))
        drafts = (
            KycDocument.user_id == user_id,
            KycDocument.submitted_at.is_(None),
            KycDocument.dropped_at.is_(None),
        )
        session.execute(update(KycDocument).where(*drafts).values(submitted_at=now))
        if identity_providers.get(case.provider).ask_again_seconds is not None:
            outbox.add("kyc.check", case_id=case.id, submission=case.submission)
    return _standing(case)


def waiting() -> Sequence[Waiting]:
    """Return the cases that wait for a decision, the oldest first."""
    cases = select(KycCase).where(KycCase.state == "PENDING").order_by(KycCase.submitted_at)
    return [
        Waiting(case.user_id, users.get(case.user_id).email, case.submitted_at, _opened(case))
        for case in db.session.scalars(cases)
    ]


def person(user_id: str) -> Person:
    """Return what a user submitted last, opened for an operator's eyes.

    Raises:
        NotFound: they never submitted anything.
    """
    case = _case(user_id)
    if case is None:
        raise _no_case()
    return _opened(case)


def approve(user_id: str, level: int = LEVELS[0]) -> None:
    """Approve a waiting case: plans that need it now let the user withdraw, up to their level.

    Raises:
        Invalid: there is no such level (``validation_error``).
        NotFound: the user never submitted one.
        Conflict: it does not wait (``state_conflict``).
    """
    _check_level(level)
    _decide(user_id, "APPROVED", None, level)


def set_level(user_id: str, level: int) -> None:
    """Give somebody whose identity is approved another level; limits follow at once.

    Raises:
        Invalid: there is no such level (``validation_error``).
        NotFound: the user never submitted a case.
        Conflict: their identity is not approved (``state_conflict``).
    """
    _check_level(level)
    with transaction():
        user = users.lock(user_id)
        case = _case(user_id)
        if case is None:
            raise _no_case()
        if case.state != "APPROVED":
            raise Conflict("state_conflict", "This identity is not approved.")
        user.identity_level = level


def reject(user_id: str, reason: str) -> None:
    """Reject a waiting case for one of ``states.REASONS``; the user may submit another.

    Raises:
        NotFound: the user never submitted one.
        Conflict: it does not wait (``state_conflict``).
        ValueError: not a reason.
    """
    if reason not in REASONS:
        raise ValueError(f"not a reason: {reason}")
    _decide(user_id, "REJECTED", reason)


_EVENTS = {"APPROVED": events.KYC_APPROVED, "REJECTED": events.KYC_REJECTED}


def decide(user_id: str, submission: int, *, approved: bool, reason: str | None) -> bool:
    """Decide a submission as its provider judges it; False if it does not wait any more."""
    with transaction():
        users.lock(user_id)
        case = _case(user_id)
        if case is None or (case.state, case.submission) != ("PENDING", submission):
            return False
        _decide(user_id, "APPROVED" if approved else "REJECTED", reason)
        return True


def _decide(user_id: str, state: str, reason: str | None, level: int = LEVELS[0]) -> None:
    with transaction():
        user = users.lock(user_id)
        case = _case(user_id)
        if case is None:
            raise _no_case()
        if not CASE.may(case.state, state):
            raise Conflict("state_conflict", "This identity check does not wait for a decision.")
        now = clock.now()
        case.state, case.reason, case.decided_at = state, reason, now
        if state == "APPROVED":
            user.identity_approved_at, user.identity_level = now, level
        # No word of the person: an event carries no papers.
        data = {"id": case.id, "userId": user_id, "status": state}
        publish(_EVENTS[state], user_id, data | ({"reason": reason} if reason else {}))


def _case(user_id: str) -> KycCase | None:
    # Under the user's lock: as the row is now, whatever this session read of it before.
    mine = select(KycCase).where(KycCase.user_id == user_id)
    return db.session.scalar(mine, execution_options={"populate_existing": True})


def _check_level(level: int) -> None:
    if level not in LEVELS:
        raise Invalid("validation_error", "A level is between 1 and {limit}.", limit=LEVELS[-1])


def _no_case() -> NotFound:
    return NotFound("not_found", "There is no identity check of this user.")


def _standing(case: KycCase) -> Standing:
    return Standing(case.state, case.reason, case.submitted_at, case.decided_at)


def _as_text(person: Person) -> str:
    return json.dumps(asdict(person), default=date.isoformat)


def _opened(case: KycCase) -> Person:
    members = json.loads(safe.open(case.person, PURPOSE.format(user_id=case.user_id)))
    return Person(**members | {"date_of_birth": date.fromisoformat(members["date_of_birth"])})
