"""/client/team and /client/memberships."""

from marshmallow import fields, validate

from protonpay.teams.permissions import Role
from protonpay.web.fields import Email, Moment, Text, WireSchema
from protonpay.web.paging import Paged

_ROLES = [role.value for role in Role]
_PERSON = {"example": "Anna Smith"}
_ACCOUNT = {"example": "Example Trading LLC"}
_SHOWN_ROLE = {"enum": _ROLES, "example": Role.ACCOUNTANT.value}


def _role() -> Text:
    return Text(
        longest=16,
        required=True,
        validate=[validate.OneOf(_ROLES)],
        metadata={"example": "accountant"},
    )


class InvitationOrder(WireSchema):
    """Who shall become a member, and as what."""

    email = Email(required=True, metadata={"example": "anna@example.com"})
    role = _role()


class RoleChange(WireSchema):
    """What a member shall be."""

    role = _role()


class JoinOrder(WireSchema):
    """The link of a letter."""

    token = Text(
        longest=64,
        required=True,
        metadata={"description": "From the letter's link.", "example": "Zx3v…"},
    )


class MemberView(WireSchema):
    """A member of your account."""

    id = fields.String()
    public_id = fields.String(metadata={"description": "Of the person."})
    name = fields.String(metadata=_PERSON)
    email = fields.String(metadata={"example": "anna@example.com"})
    role = fields.String(metadata=_SHOWN_ROLE)
    created_at = Moment(metadata={"description": "When they joined."})


class MemberAnswer(WireSchema):
    """One member."""

    member = fields.Nested(MemberView)


class MembersPage(Paged):
    """A page of the members."""

    members = fields.List(fields.Nested(MemberView))


class InvitationView(WireSchema):
    """An invitation; its link is in the letter and nowhere else."""

    id = fields.String()
    email = fields.String(metadata={"example": "anna@example.com"})
    role = fields.String(metadata=_SHOWN_ROLE)
    state = fields.String(metadata={"enum": ["PENDING", "ACCEPTED", "REVOKED"]})
    created_at = Moment()
    sent_at = Moment(metadata={"description": "When its last letter was written."})
    expires_at = Moment(metadata={"description": "From then on its link opens nothing."})


class InvitationAnswer(WireSchema):
    """One invitation."""

    invitation = fields.Nested(InvitationView)


class InvitationsPage(Paged):
    """A page of the invitations that wait."""

    invitations = fields.List(fields.Nested(InvitationView))


class ActView(WireSchema):
    """Something that a member changed in your account."""

    id = fields.String()
    name = fields.String(metadata=_PERSON)
    email = fields.String(metadata={"example": "anna@example.com"})
    role = fields.String(metadata={**_SHOWN_ROLE, "description": "What they were then."})
    action = fields.String(
        metadata={
            "example": "payouts_withdraw",
            "description": "The `operationId` of what they called.",
        }
    )
    thing_id = fields.String(
        allow_none=True, metadata={"description": "What was made or changed, if it has an id."}
    )
    request_id = fields.String()
    created_at = Moment()


class ActsPage(Paged):
    """A page of what members did."""

    acts = fields.List(fields.Nested(ActView))


class MembershipView(WireSchema):
    """An account that you are a member of."""

    id = fields.String()
    public_id = fields.String(metadata={"description": "Of the account: send it as `X-Account`."})
    name = fields.String(metadata=_ACCOUNT)
    email = fields.String(metadata={"example": "office@example.com"})
    role = fields.String(metadata=_SHOWN_ROLE)
    created_at = Moment(metadata={"description": "When you joined."})


class MembershipAnswer(WireSchema):
    """One membership of yours."""

    membership = fields.Nested(MembershipView)


class MembershipsPage(Paged):
    """A page of the accounts that you are a member of."""

    memberships = fields.List(fields.Nested(MembershipView))
