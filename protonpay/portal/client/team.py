"""Screens of teams: who acts for this account, and for whose account its reader acts."""

from flask import Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from protonpay.kernel.ids import PUBLIC_ID_PATTERN
from protonpay.portal.client import visits
from protonpay.portal.client.api import Answer, Call, Refused
from protonpay.portal.client.forms import Form
from protonpay.portal.client.screens import ask, client, done, send, show

_ROLES = ("viewer", "accountant", "developer", "payer", "admin")


@client.get("/team")
def team() -> Response:
    """Show the members, the invitations that wait, and what members did."""
    return _team(Form())


@client.post("/team/invitations")
def invite() -> AnyResponse:
    """Invite somebody by mail."""
    form = Form()
    if send("POST", "/client/team/invitations", form, form.body("email", "role")).refused:
        return _team(form)
    return done("The invitation is on its way.", "/app/team")


@client.post("/team/invitations/<id:invitation_id>/resend")
def resend_invitation(invitation_id: str) -> AnyResponse:
    """Send an invitation once more; the older link is void."""
    form = Form()
    if send("POST", f"/client/team/invitations/{invitation_id}/resend", form).refused:
        return _team(form)
    return done("The invitation is on its way.", "/app/team")


@client.post("/team/invitations/<id:invitation_id>/revoke")
def revoke_invitation(invitation_id: str) -> AnyResponse:
    """Take an invitation back."""
    form = Form()
    if send("DELETE", f"/client/team/invitations/{invitation_id}", form).refused:
        return _team(form)
    return done("The invitation is void.", "/app/team")


@client.post("/team/members/<id:member_id>/role")
def change_role(member_id: str) -> AnyResponse:
    """Give a member another role."""
    form = Form()
    if send("PATCH", f"/client/team/members/{member_id}", form, form.body("role")).refused:
        return _team(form)
    return done("Saved.", "/app/team")


@client.post("/team/members/<id:member_id>/remove")
def remove_member(member_id: str) -> AnyResponse:
    """End a membership, at once."""
    form = Form()
    if send("DELETE", f"/client/team/members/{member_id}", form).refused:
        return _team(form)
    return done("The member is removed.", "/app/team")


@client.post("/team/leave/<id:membership_id>")
def leave(membership_id: str) -> AnyResponse:
    """Leave somebody's account."""
    form = Form()
    if send("DELETE", f"/client/memberships/{membership_id}", form).refused:
        return _team(form)
    visits.act_for(None)
    return done("You have left.", "/app/team")


@client.post("/team/act")
def act_for() -> AnyResponse:
    """Act for another account, or for one's own again; the API says each time whether one may."""
    public_id = request.form.get("publicId", "")
    mine = ask("/client/memberships", limit=100)["memberships"]
    found = [each for each in mine if each["publicId"] == public_id]
    known = found and PUBLIC_ID_PATTERN.fullmatch(public_id)
    visits.act_for(public_id if known else None, found[0]["name"] if known else "")
    return redirect("/app")


@client.get("/join")
def invited() -> Response:
    """Show the form that the link of an invitation leads to; nothing is done yet."""
    return show("join", form=Form(), token=request.args.get("token", ""))


@client.post("/join")
def join() -> AnyResponse:
    """Become a member."""
    form = Form()
    answer = send("POST", "/client/memberships", form, form.body("token"))
    if answer.refused:
        return show("join", form=form, token=form["token"])
    return done("You are a member now.", "/app/team")


def _team(form: Form) -> Response:
    # Whose role it is to manage sees all of it; others see for whom they act themselves.
    members, invitations, acts = (
        _part(f"/client/team/{name}", name) for name in ("members", "invitations", "acts")
    )
    return show(
        "team",
        form=form,
        members=members,
        invitations=invitations,
        did=acts,
        memberships=ask("/client/memberships", limit=100)["memberships"],
        roles=_ROLES,
        acts=[Call("POST", "/client/team/invitations", {"email": "…", "role": "viewer"})],
    )


def _part(path: str, name: str) -> list[Answer] | None:
    try:
        found: list[Answer] = ask(path, limit=50)[name]
    except Refused as refused:
        if refused.answer.code != "role_insufficient":
            raise
        return None
    return found
