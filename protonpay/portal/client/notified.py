"""What a person should see: the list behind the bell."""

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from protonpay.portal import words
from protonpay.portal.client.api import Call
from protonpay.portal.client.forms import Form
from protonpay.portal.client.screens import ask, client, done, own_path, send, show, zone
from protonpay.portal.client.told import told


@client.get("/notifications")
def notifications() -> Response:
    """Show what there is to see, all of it or what is unread."""
    return _notifications(Form())


@client.post("/notifications/read")
def read_notifications() -> AnyResponse:
    """Remember what was read: one, or all that the page has shown."""
    form = Form()
    body = form.body(lists=["ids"], whole=["upTo"])
    if send("POST", "/client/notifications/read", form, body).refused:
        return _notifications(form)
    return done("Marked as read.", own_path(form["back"], otherwise="/app/notifications"))


def _notifications(form: Form) -> Response:
    asked = {name: request.args.get(name) for name in ("show", "cursor")}
    listed = ask("/client/notifications", limit=50, **asked)
    rows = told(listed["notifications"], words.speaker(words.chosen(), zone()))
    return show(
        "notifications",
        form=form,
        listed=listed,
        rows=rows,
        newest=next((one.sequence for one in rows if one.sequence is not None), None),
        acts=[Call("POST", "/client/notifications/read", {})],
    )
