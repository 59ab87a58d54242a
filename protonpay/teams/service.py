"""Who acts for an account: know them at each request, list, change and remove them.

Every change of a team locks the account's row, so that of two at once the second sees what the
first has done. What a member may is read anew by every request: who was removed or has another
role meets that at the next one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import ColumnElement, func, select

from protonpay.api_keys import service as api_keys
from protonpay.kernel import clock, ids
from protonpay.kernel.errors import Forbidden, NotFound
from protonpay.mail import service as mail
from protonpay.store.db import current, db, execute, transaction
from protonpay.store.lists import Part, newest_first
from protonpay.teams import permissions
from protonpay.teams.models import Invitation, Membership, TeamAct
from protonpay.teams.permissions import SCOPES, Role, role_insufficient
from protonpay.teams.states import INVITATION
from protonpay.users import service as users
from protonpay.users.service import User

__all__ = [
    "Act",
    "Member",
    "MemberView",
    "Role",
    "acts",
    "change_role",
    "check_may_make",
    "count",
    "leave",
    "members",
    "memberships",
    "opened",
    "remove",
    "role_words",
    "tell",
]

log = structlog.get_logger(__name__)

_OPEN = """
    SELECT a.id, a.standing, m.id, m.role, p.standing, p.withdrawals_frozen_at
    FROM users a
    JOIN users p ON p.id = %(person)s
    LEFT JOIN memberships m
        ON m.account_id = a.id AND m.person_id = p.id AND m.ended_at IS NULL
    WHERE a.public_id = %(account)s
"""
_WORDS = {
    "en": dict(zip(Role, ("viewer", "accountant", "developer", "payer", "admin"), strict=True)),
    "ru": dict(
        zip(
            Role,
            ("наблюдатель", "бухгалтер", "разработчик", "плательщик", "администратор"),
            strict=True,
        )
    ),
}


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who acts for an account now."""

    account_id: str
    person_id: str
    role: str

    @property
    def scopes(self) -> frozenset[str]:
        """What an API key that they make may hold."""
        return SCOPES[Role(self.role)]

    def check(self, endpoint: str) -> None:
        """Refuse what their role may not do.

        Raises:
            Forbidden: it may not (``role_insufficient``).
        """
        permissions.check(self.role, endpoint)

    def may(self, endpoint: str) -> bool:
        """Tell whether their role may call a route."""
        return self.role in permissions.roles(endpoint)

    def note(self, endpoint: str, thing_id: str | None, request_id: str) -> None:
        """Write down what they do, in the caller's transaction; what they read is no act.

        Raises:
            Forbidden: meanwhile they are no member, or another one (``role_insufficient``): what
                they have waited to do would outlive their role.
            RuntimeError: no transaction is open.
        """
        if endpoint in permissions.NO_ACTS:
            return
        if _role_of(self.account_id, self.person_id) != self.role:
            raise role_insufficient()
        act = TeamAct(
            id=ids.new_id(),
            account_id=self.account_id,
            person_id=self.person_id,
            role=self.role,
            action=endpoint.replace("-", "_").replace(".", "_"),
            thing_id=thing_id,
            request_id=request_id,
            created_at=clock.now(),
        )
        current().add(act)


@dataclass(frozen=True, slots=True)
class MemberView:
    """A membership with whose it is: of its person, or of its account."""

    id: str
    public_id: str
    name: str
    email: str
    role: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Act:
    """What a member did, and who that is."""

    id: str
    name: str
    email: str
    role: str
    action: str
    thing_id: str | None
    request_id: str
    created_at: datetime


def opened(person_id: str, public_id: str) -> Member | None:
    """Return what a person is in an account, as it is now; None if the account is their own.

    Raises:
        Forbidden: nothing, or there is no such account, not told which (``not_a_member``); the
            person's own account is suspended or frozen (``member_stopped``); the account is
            suspended (``account_suspended``).
    """
    row = execute(_OPEN, {"person": person_id, "account": public_id}).fetchone()
    if row is not None and row[0] == person_id:
        return None
    if row is None or row[2] is None:
        raise Forbidden("not_a_member", "You are no member of this account.")
    account_id, standing, _, role, own_standing, frozen_at = row
    if own_standing != "ACTIVE" or frozen_at is not None:
        said = "Your own account is stopped: you cannot act for others."
        raise Forbidden("member_stopped", said)
    if standing != "ACTIVE":
        raise Forbidden("account_suspended", "This account is suspended.")
    return Member(account_id, person_id, role)


def members(account_id: str, part: Part) -> Sequence[MemberView]:
    """Return a part of an account's members, newest first."""
    rows = newest_first(Membership, part, Membership.account_id == account_id, _stands())
    return _shown(rows, [row.person_id for row in rows])


def memberships(person_id: str, part: Part) -> Sequence[MemberView]:
    """Return a part of the accounts that a person is a member of, newest first."""
    rows = newest_first(Membership, part, Membership.person_id == person_id, _stands())
    return _shown(rows, [row.account_id for row in rows])


def change_role(account_id: str, membership_id: str, *, role: str, by: str) -> MemberView:
    """Give a member another role; the keys they made and their new role may not make are revoked.

    Args:
        account_id: whose member it is.
        membership_id: names the member.
        role: one of ``Role``.
        by: the owner, or a member who manages the team.

    Raises:
        NotFound: there is no such member.
        Forbidden: an admin is made and unmade by the owner alone, and nobody changes their own
            role (``role_insufficient``).
    """
    with transaction():
        account = users.lock(account_id)
        member = _standing(account_id, membership_id)
        _check_may_touch(account_id, member, by)
        check_may_make(account_id, role, by)
        if member.role != role:
            member.role = role
            _take_back(member, SCOPES[Role(role)])
            tell(member.person_id, "team_role_changed", account, role=role)
            log.info("member_changed", account_id=account_id, person_id=member.person_id, role=role)
    return _one(member, member.person_id)


def remove(account_id: str, membership_id: str, *, by: str) -> None:
    """End a membership: its person acts for the account no more, nor do the keys they made.

    Raises:
        NotFound: there is no such member.
        Forbidden: an admin is removed by the owner alone, and nobody removes themselves here
            (``role_insufficient``).
    """
    with transaction():
        account = users.lock(account_id)
        member = _standing(account_id, membership_id)
        _check_may_touch(account_id, member, by)
        _end(member)
        tell(member.person_id, "team_removed", account)


def leave(person_id: str, membership_id: str) -> None:
    """End a membership of one's own; the keys made in the account are revoked.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    found = db.session.get(Membership, membership_id)
    if found is None or found.person_id != person_id:
        raise _no_membership()
    with transaction():
        account = users.lock(found.account_id)
        member = _standing(account.id, membership_id)
        _end(member)
        tell(account.id, "team_left", users.get(person_id))


def acts(account_id: str, part: Part) -> Sequence[Act]:
    """Return a part of what members did in an account, newest first."""
    rows = newest_first(TeamAct, part, TeamAct.account_id == account_id)
    people = _people([row.person_id for row in rows])
    return [
        Act(
            row.id,
            people[row.person_id].name,
            people[row.person_id].email,
            row.role,
            row.action,
            row.thing_id,
            row.request_id,
            row.created_at,
        )
        for row in rows
    ]


def count(of: ColumnElement[bool]) -> int:
    """Count the memberships that stand, of an account or of a person."""
    return current().scalars(select(func.count(Membership.id)).where(of, _stands())).one()


def check_may_make(account_id: str, role: str, by: str) -> None:
    """Refuse that somebody makes a member who may as much as they, or more.

    In the caller's transaction, which has the account locked.

    Raises:
        Forbidden: who acts manages no team any more, or is no owner and makes an admin
            (``role_insufficient``).
    """
    if by == account_id:
        return
    if _role_of(account_id, by) != Role.ADMIN or role == Role.ADMIN:
        raise role_insufficient()


def tell(user_id: str, template: str, other: User, *, role: str | None = None) -> None:
    """Write to a person about an account, or to an account about a person.

    In the caller's transaction. A role is said in the reader's language.
    """
    reader = users.get(user_id)
    values = {} if role is None else {"role": role_words(role, reader.language)}
    mail.post(
        template,
        to=reader.email,
        language=reader.language,
        owner_id=reader.id,
        name=reader.name,
        other=other.name,
        public_id=other.public_id,
        useful_for=mail.USEFUL_FOR,
        **values,
    )


def role_words(role: str, language: str) -> str:
    """Return how a role is called."""
    return _WORDS[language][Role(role)]


def _role_of(account_id: str, person_id: str) -> str | None:
    """Return what somebody is in an account as the database has it now."""
    mine = (Membership.account_id == account_id, Membership.person_id == person_id)
    return current().scalar(select(Membership.role).where(*mine, _stands()))


def _check_may_touch(account_id: str, member: Membership, by: str) -> None:
    if by == member.person_id:
        # Whoever wants less of an account leaves it.
        raise role_insufficient()
    check_may_make(account_id, member.role, by)


def _end(member: Membership) -> None:
    member.ended_at = clock.now()
    _take_back(member, frozenset())
    log.info("member_ended", account_id=member.account_id, person_id=member.person_id)


def _take_back(member: Membership, allowed: frozenset[str]) -> None:
    """End what a member has made and might go on with: keys, and invitations of others."""
    api_keys.revoke_beyond(member.account_id, made_by=member.person_id, allowed=allowed)
    waiting = select(Invitation).where(
        Invitation.account_id == member.account_id,
        Invitation.invited_by == member.person_id,
        Invitation.state == INVITATION.initial,
    )
    for invitation in current().scalars(waiting):
        INVITATION.check(invitation.state, "REVOKED")
        invitation.state, invitation.ended_at = "REVOKED", clock.now()


def _standing(account_id: str, membership_id: str) -> Membership:
    member = current().get(Membership, membership_id, populate_existing=True)
    if member is None or member.account_id != account_id or member.ended_at is not None:
        raise _no_membership()
    return member


def _stands() -> ColumnElement[bool]:
    return Membership.ended_at.is_(None)


def _one(member: Membership, shown_id: str) -> MemberView:
    return _shown([member], [shown_id])[0]


def _shown(rows: Sequence[Membership], shown_ids: Sequence[str]) -> list[MemberView]:
    people = _people(shown_ids)
    return [
        MemberView(
            row.id,
            people[shown_id].public_id,
            people[shown_id].name,
            people[shown_id].email,
            row.role,
            row.created_at,
        )
        for row, shown_id in zip(rows, shown_ids, strict=True)
    ]


def _people(user_ids: Sequence[str]) -> dict[str, User]:
    found = db.session.scalars(select(User).where(User.id.in_(set(user_ids))))
    return {user.id: user for user in found}


def _no_membership() -> NotFound:
    return NotFound("not_found", "There is no such member.")
