"""Members, invitations, and what members did."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from protonpay.store.db import Base
from protonpay.store.types import UtcDateTime, state_check
from protonpay.teams.permissions import Role
from protonpay.teams.states import INVITATION

_ROLES = ", ".join(f"'{role}'" for role in Role)
_IS_ROLE = f"role IN ({_ROLES})"


class Membership(Base):
    """A person who acts for the account of another; the row stays when that has ended.

    Attributes:
        account_id: a user's account; its owner is no member of it.
        person_id: another user, who signs in as themselves.
    """

    __tablename__ = "memberships"
    __table_args__ = (
        CheckConstraint(_IS_ROLE, name="role"),
        CheckConstraint("account_id <> person_id", name="person"),
        Index(
            "uq_memberships_person",
            "account_id",
            "person_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_memberships_account", "account_id", "created_at", "id"),
        Index("ix_memberships_of_person", "person_id", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    account_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    person_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    role: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Invitation(Base):
    """A letter that lets whoever owns its address become a member.

    Attributes:
        email: as typed; ``email_key`` is what it is compared by.
        digest: SHA-256 of the token in the last letter; the token is nowhere.
        invited_by: the owner, or a member.
        letters: how many were sent, each within an hour of the one before.
    """

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint(_IS_ROLE, name="role"),
        CheckConstraint("octet_length(digest) = 32", name="digest"),
        state_check("state", INVITATION),
        Index(
            "uq_invitations_email",
            "account_id",
            "email_key",
            unique=True,
            postgresql_where=text("state = 'PENDING'"),
        ),
        Index("ix_invitations_account", "account_id", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    account_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    email: Mapped[str] = mapped_column(Text)
    email_key: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    state: Mapped[str] = mapped_column(Text)
    invited_by: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    letters: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class TeamAct(Base):
    """What a member changed in an account; written with the change, never altered.

    Attributes:
        role: what they were then.
        action: the route's name, as the API document has it (``operationId``).
        thing_id: what was changed or made, if it has an id.
        request_id: as in ``X-Request-Id``.
    """

    __tablename__ = "team_acts"
    __table_args__ = (Index("ix_team_acts_account", "account_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    account_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    person_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    role: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    thing_id: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
