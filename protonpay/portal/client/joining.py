"""The screen that an invitation's letter leads to: accept it, see whose accounts one acts for."""

from flask import Response
from werkzeug.wrappers import Response as AnyResponse

from protonpay.portal.client.forms import Form
from protonpay.portal.client.screens import ask, client, done, send, show


@client.get("/join")
def invitation() -> Response:
    """Show the button that accepts an invitation: opening the link alone does nothing."""
    return _joining(Form())


@client.post("/join")
def accept_invitation() -> AnyResponse:
    """Become a member by the link of a letter."""
    form = Form()
    if send("POST", "/client/memberships", form, form.body("token")).refused:
        return _joining(form)
    return done("You act for this account from now on.", "/app/join")


@client.post("/join/<id:membership_id>/leave")
def leave_account(membership_id: str) -> AnyResponse:
    """Act for an account no more."""
    form = Form()
    if send("DELETE", f"/client/memberships/{membership_id}", form).refused:
        return _joining(form)
    return done("You do not act for this account any more.", "/app/join")


def _joining(form: Form) -> Response:
    listed = ask("/client/memberships", limit=50)["memberships"]
    return show("join", form=form, memberships=listed)
