"""/client/team: the members of an account, invitations, and what members did."""

from functools import partial
from typing import Any

from protonpay.teams import invitations, schemas, service
from protonpay.web.access import NO_KEY
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.paging import HistoryQuery, PageQuery, page
from protonpay.web.step_up import steps_up

blp = AreaBlueprint(
    "team", __name__, door=Door.CLIENT, prefix="/client/team", about="Who acts for your account"
)


@blp.get("/members", keys=NO_KEY)
@blp.arguments(PageQuery, location="query")
@blp.response(200, schemas.MembersPage)
def members(query: dict[str, Any]) -> dict[str, Any]:
    """List who may act for your account, newest first; you yourself are not in it."""
    return page("members", query, partial(service.members, current().user_id))


@blp.patch("/members/<id:member_id>", keys=NO_KEY)
@blp.arguments(schemas.RoleChange)
@blp.response(200, schemas.MemberAnswer)
@steps_up
def change_role(change: dict[str, str], member_id: str) -> dict[str, Any]:
    """Give a member another role; keys they made that it does not allow are revoked."""
    caller = current()
    return {"member": service.change_role(caller.user_id, member_id, by=caller.person_id, **change)}


@blp.delete("/members/<id:member_id>", keys=NO_KEY)
@blp.response(204)
def remove(member_id: str) -> None:
    """Remove a member, at once; the keys they made are revoked."""
    caller = current()
    service.remove(caller.user_id, member_id, by=caller.person_id)


@blp.post("/invitations", keys=NO_KEY, refuses=[409])
@blp.arguments(schemas.InvitationOrder)
@blp.response(200, schemas.InvitationAnswer)
@steps_up
def invite(order: dict[str, str]) -> dict[str, Any]:
    """Invite somebody by mail; an invitation of the same address that waits is void."""
    caller = current()
    return {"invitation": invitations.invite(caller.user_id, by=caller.person_id, **order)}


@blp.get("/invitations", keys=NO_KEY)
@blp.arguments(PageQuery, location="query")
@blp.response(200, schemas.InvitationsPage)
def pending(query: dict[str, Any]) -> dict[str, Any]:
    """List the invitations that wait, newest first."""
    return page("invitations", query, partial(invitations.pending, current().user_id))


@blp.get("/invitations/<id:invitation_id>", keys=NO_KEY)
@blp.response(200, schemas.InvitationAnswer)
def invitation(invitation_id: str) -> dict[str, Any]:
    """Get one invitation, whatever became of it."""
    return {"invitation": invitations.get(current().user_id, invitation_id)}


@blp.post("/invitations/<id:invitation_id>/resend", keys=NO_KEY, refuses=[409])
@blp.response(200, schemas.InvitationAnswer)
@steps_up
def resend(invitation_id: str) -> dict[str, Any]:
    """Send an invitation once more, for seven days from now; the older link is void."""
    caller = current()
    sent = invitations.resend(caller.user_id, invitation_id, by=caller.person_id)
    return {"invitation": sent}


@blp.delete("/invitations/<id:invitation_id>", keys=NO_KEY)
@blp.response(204)
def revoke(invitation_id: str) -> None:
    """Make the link of an invitation void."""
    caller = current()
    invitations.revoke(caller.user_id, invitation_id, by=caller.person_id)


@blp.get("/acts", keys=NO_KEY)
@blp.arguments(HistoryQuery, location="query")
@blp.response(200, schemas.ActsPage)
def acts(query: dict[str, Any]) -> dict[str, Any]:
    """List what members changed in your account, newest first."""
    return page("acts", query, partial(service.acts, current().user_id))
