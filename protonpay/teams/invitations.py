"""Invitations by mail: a link that makes whoever owns the invited address a member.

What is stored of the link is a digest. It works once, for seven days, and for nobody but a
person whose verified address is the invited one, so a letter that was forwarded opens nothing.
Who invites learns nothing of an address: the letter and the answer are the same whether it has an
account or not.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy import ColumnElement, func, select

from protonpay.kernel import clock, ids
from protonpay.kernel.errors import Conflict, Forbidden, Invalid, Limited, NotFound
from protonpay.mail import service as mail
from protonpay.mail.service import office
from protonpay.store.db import current, db, transaction
from protonpay.store.lists import Part, newest_first
from protonpay.teams import service
from protonpay.teams.models import Invitation, Membership
from protonpay.teams.service import MemberView
from protonpay.teams.states import INVITATION
from protonpay.users import service as users
from protonpay.users.service import User, email_key

__all__ = ["Invitation", "get", "invite", "join", "pending", "resend", "revoke"]

LIFE = timedelta(days=7)
MOST_MEMBERS = 50
MOST_ACCOUNTS = 50
MOST_PENDING = 20
MOST_AN_HOUR = 20
MOST_LETTERS = 5
JOIN_PAGE = "/app/join"

_HOUR = timedelta(hours=1)
_BYTES = 32

log = structlog.get_logger(__name__)


def invite(account_id: str, *, email: str, role: str, by: str) -> Invitation:
    """Send an invitation; one that waits for the same address is void.

    Args:
        account_id: whose member they shall be.
        email: where it is sent, and the only address that may accept it.
        role: one of ``Role``.
        by: the owner, or a member who manages the team.

    Raises:
        Forbidden: as ``service.check_may_make``; the account's own address is not verified
            (``email_unverified``), or the account is suspended (``account_suspended``).
        Conflict: it is the address of the owner or of a member (``already_member``), or there are
            50 members, or 20 invitations that wait (``team_full``).
        Limited: 20 were sent within the hour (``too_many_letters``).
    """
    now = clock.now()
    with transaction() as session:
        account = users.lock(account_id)
        _check_may_write(account)
        service.check_may_make(account_id, role, by)
        _check_is_nobody(account, email)
        _check_often(account_id)
        same = (Invitation.account_id == account_id, Invitation.email_key == email_key(email))
        for replaced in session.scalars(select(Invitation).where(*same, _waits())):
            service.check_may_make(account_id, replaced.role, by)
            _end(replaced, "REVOKED")
        session.flush()
        _check_room(account_id)
        token = secrets.token_urlsafe(_BYTES)
        made = Invitation(
            id=ids.new_id(),
            account_id=account_id,
            email=email,
            email_key=email_key(email),
            role=role,
            digest=_digest(token),
            state=INVITATION.initial,
            invited_by=by,
            letters=1,
            created_at=now,
            sent_at=now,
            expires_at=now + LIFE,
        )
        session.add(made)
        _write(made, account, token)
    log.info("member_invited", account_id=account_id, by=by, role=role)
    return made


def resend(account_id: str, invitation_id: str, *, by: str) -> Invitation:
    """Send an invitation once more, for seven days from now; the older link is void.

    Raises:
        NotFound: there is none that waits.
        Forbidden: as ``invite``.
        Conflict: meanwhile it is the address of a member (``already_member``).
        Limited: five of this one were sent, the last within the hour (``too_many_letters``).
    """
    now = clock.now()
    with transaction():
        account = users.lock(account_id)
        found = _pending(account_id, invitation_id)
        _check_may_write(account)
        service.check_may_make(account_id, found.role, by)
        _check_is_nobody(account, found.email)
        if found.sent_at + _HOUR <= now:
            found.letters = 0
        if found.letters >= MOST_LETTERS:
            raise _too_many(found.sent_at + _HOUR - now)
        token = secrets.token_urlsafe(_BYTES)
        found.digest, found.sent_at, found.expires_at = _digest(token), now, now + LIFE
        found.letters += 1
        _write(found, account, token)
    return found


def revoke(account_id: str, invitation_id: str, *, by: str) -> None:
    """Make an invitation's link void.

    Raises:
        NotFound: there is none that waits.
        Forbidden: as ``service.check_may_make`` (``role_insufficient``).
    """
    with transaction():
        users.lock(account_id)
        found = _pending(account_id, invitation_id)
        service.check_may_make(account_id, found.role, by)
        _end(found, "REVOKED")


def pending(account_id: str, part: Part) -> Sequence[Invitation]:
    """Return a part of an account's invitations that wait, newest first; late ones too."""
    return newest_first(Invitation, part, Invitation.account_id == account_id, _waits())


def get(account_id: str, invitation_id: str) -> Invitation:
    """Return an invitation of an account, whatever became of it.

    Raises:
        NotFound: there is none.
    """
    found = db.session.get(Invitation, invitation_id)
    if found is None or found.account_id != account_id:
        raise _not_found()
    return found


def join(person_id: str, token: str) -> MemberView:
    """Become a member by the link of a letter; the link is used up.

    Raises:
        Invalid: it is used, replaced, revoked or over, or the account is suspended
            (``invalid_link``); not told which.
        Forbidden: it was sent to another address than the person's verified one
            (``invitation_for_another``), or their own account is stopped (``account_suspended``,
            ``withdrawals_frozen``).
        Conflict: they are a member already, or the owner (``already_member``); there are 50
            members (``team_full``), or they are a member of 50 accounts (``too_many_accounts``).
    """
    with transaction() as session:
        found = session.scalar(select(Invitation).where(Invitation.digest == _digest(token)))
        if found is None:
            raise _invalid()
        # In one order whoever joins whom: two people may invite each other.
        locked = {one: users.lock(one) for one in sorted({person_id, found.account_id})}
        session.refresh(found)
        person, account = locked[person_id], locked[found.account_id]
        if not _stands(found, token) or account.standing != "ACTIVE":
            raise _invalid()
        _check_address(person, found)
        users.check_may_spend(person)
        if person_id == account.id or _is_member(account.id, Membership.person_id == person_id):
            raise _already()
        if service.count(Membership.account_id == account.id) >= MOST_MEMBERS:
            raise _full()
        if service.count(Membership.person_id == person_id) >= MOST_ACCOUNTS:
            said = "At most {limit} accounts of others: leave one."
            raise Conflict("too_many_accounts", said, limit=MOST_ACCOUNTS)
        _end(found, "ACCEPTED")
        member = Membership(
            id=ids.new_id(),
            account_id=account.id,
            person_id=person_id,
            role=found.role,
            created_at=clock.now(),
        )
        session.add(member)
        service.tell(account.id, "team_joined", person, role=found.role)
    log.info("member_joined", account_id=account.id, person_id=person_id, role=member.role)
    return MemberView(
        member.id, account.public_id, account.name, account.email, member.role, member.created_at
    )


def _check_may_write(account: User) -> None:
    if account.standing != "ACTIVE":
        raise Forbidden("account_suspended", "This account is suspended.")
    if account.email_verified_at is None:
        # Whoever may write to anybody by our letters has shown an address of their own.
        raise Forbidden("email_unverified", "Verify your e-mail address first.")


def _write(invitation: Invitation, account: User, token: str) -> None:
    mail.post(
        "team_invitation",
        to=invitation.email,
        language=account.language,
        useful_for=LIFE,
        account=account.name,
        email=account.email,
        role=service.role_words(invitation.role, account.language),
        link=office.page(JOIN_PAGE, token),
    )


def _check_is_nobody(account: User, email: str) -> None:
    key = email_key(email)
    if key == account.email_key or _is_member(account.id, User.email_key == key):
        raise _already()


def _check_often(account_id: str) -> None:
    since = clock.now() - _HOUR
    lately = select(func.count(), func.min(Invitation.created_at)).where(
        Invitation.account_id == account_id, Invitation.created_at > since
    )
    sent, oldest = current().execute(lately).one()
    if sent >= MOST_AN_HOUR:
        raise _too_many(oldest - since)


def _check_room(account_id: str) -> None:
    waits = current().scalars(
        select(func.count(Invitation.id)).where(
            Invitation.account_id == account_id,
            _waits(),
            Invitation.expires_at > clock.now(),
        )
    )
    if waits.one() >= MOST_PENDING:
        raise _full()
    if service.count(Membership.account_id == account_id) >= MOST_MEMBERS:
        raise _full()


def _check_address(person: User, invitation: Invitation) -> None:
    if person.email_verified_at is None or person.email_key != invitation.email_key:
        said = "This invitation is for another address, or yours is not verified yet."
        raise Forbidden("invitation_for_another", said)


def _is_member(account_id: str, who: ColumnElement[bool]) -> bool:
    found = (
        select(Membership.id)
        .join(User, User.id == Membership.person_id)
        .where(Membership.account_id == account_id, Membership.ended_at.is_(None), who)
    )
    return current().scalar(found) is not None


def _waits() -> ColumnElement[bool]:
    return Invitation.state == INVITATION.initial


def _pending(account_id: str, invitation_id: str) -> Invitation:
    found = current().get(Invitation, invitation_id, populate_existing=True)
    if found is None or found.account_id != account_id or found.state != INVITATION.initial:
        raise _not_found()
    return found


def _stands(invitation: Invitation, token: str) -> bool:
    return (
        invitation.state == INVITATION.initial
        and invitation.expires_at > clock.now()
        # Sent again while we waited for the lock: another link took the place of this one.
        and invitation.digest == _digest(token)
    )


def _end(invitation: Invitation, state: str) -> None:
    INVITATION.check(invitation.state, state)
    invitation.state, invitation.ended_at = state, clock.now()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _too_many(wait: timedelta) -> Limited:
    seconds = max(1, int(wait.total_seconds()))
    said = "Too many letters were asked for. Try again later."
    return Limited("too_many_letters", said, retry_after=seconds)


def _already() -> Conflict:
    return Conflict("already_member", "This is the owner or a member already.")


def _full() -> Conflict:
    said = "At most {limit} members, and {max} invitations that wait."
    return Conflict("team_full", said, limit=MOST_MEMBERS, max=MOST_PENDING)


def _invalid() -> Invalid:
    said = "This link was used or replaced, or its time is over. Ask for a new one."
    return Invalid("invalid_link", said)


def _not_found() -> NotFound:
    return NotFound("not_found", "There is no such invitation.")
