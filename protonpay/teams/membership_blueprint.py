"""/client/memberships: the accounts of others that a person acts for."""

from functools import partial
from typing import Any

from protonpay.teams import invitations, schemas, service
from protonpay.web.access import NO_KEY
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.auth import current
from protonpay.web.paging import PageQuery, page

blp = AreaBlueprint(
    "memberships",
    __name__,
    door=Door.CLIENT,
    prefix="/client/memberships",
    about="Whose accounts you act for",
)


@blp.post("", keys=NO_KEY, refuses=[409])
@blp.arguments(schemas.JoinOrder)
@blp.response(200, schemas.MembershipAnswer)
def join(order: dict[str, str]) -> dict[str, Any]:
    """Accept an invitation: its link works once, and for its address alone."""
    return {"membership": invitations.join(current().person_id, order["token"])}


@blp.get("", keys=NO_KEY)
@blp.arguments(PageQuery, location="query")
@blp.response(200, schemas.MembershipsPage)
def memberships(query: dict[str, Any]) -> dict[str, Any]:
    """List the accounts that you may act for, newest first."""
    return page("memberships", query, partial(service.memberships, current().person_id))


@blp.delete("/<id:membership_id>", keys=NO_KEY)
@blp.response(204)
def leave(membership_id: str) -> None:
    """Leave an account; the keys you made in it are revoked."""
    service.leave(current().person_id, membership_id)
