"""Screens of who builds on the API: keys, webhooks with their deliveries, events."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from protonpay.kernel.events import NAMES
from protonpay.kernel.scopes import FULL, Scope
from protonpay.portal import words
from protonpay.portal.client import figures, looks, receiving
from protonpay.portal.client.api import Call, Refused
from protonpay.portal.client.forms import Form
from protonpay.portal.client.screens import (
    ask,
    client,
    done,
    download,
    looked_at_again,
    send,
    show,
    zone,
)

_FILTERS = ("outcome", "keyId", "code", "route", "requestId")
_SCOPES = [scope.value for scope in Scope]
_PRESETS = (
    ("Read only", [Scope.BALANCE_READ.value, Scope.ACTIVITY_READ.value]),
    ("Invoices", [Scope.INVOICES_WRITE.value, Scope.WEBHOOKS_WRITE.value]),
    (
        "Payouts",
        [Scope.BALANCE_READ.value, Scope.ACTIVITY_READ.value, Scope.WITHDRAWALS_WRITE.value],
    ),
)
"""What a key for one kind of work needs, by what it is called."""
_OVERLAPS = (
    ("86400", "1 day"),
    ("3600", "1 hour"),
    ("259200", "3 days"),
    ("604800", "7 days"),
    ("0", "no time"),
)
"""How long an old secret may still be good: seconds, and what that is called; the usual first."""


@client.get("/keys")
def keys() -> Response:
    """Show the API keys, and ask what a new one may do."""
    return _keys(Form())


@client.post("/keys")
def make_key() -> Response:
    """Make a key; it is shown on this page, and never again."""
    form = Form()
    if form.lacks("permissions"):  # of which a key that names none has all
        return _keys(form)
    body = form.body("name")
    chosen = form.every("permissions")
    body["permissions"] = FULL if FULL in chosen else list(chosen)
    if form["allowedIps"]:
        body["allowedIps"] = form["allowedIps"].replace(",", " ").split()
    if form["expiresAt"]:
        body["expiresAt"] = f"{form['expiresAt']}T00:00:00Z"
    answer = send("POST", "/client/api-keys", form, body)
    if answer.refused:
        return _keys(form)
    key = answer["key"]
    first = [Call("GET", "/client/balance")]
    return show("secret", title="API key", made=key, secret=key["rawKey"], acts=first)


@client.get("/keys/<id:key_id>")
def one_key(key_id: str) -> Response:
    """Show a key: what it may, what it was used for last, which of its secrets still open."""
    return _key(key_id, Form())


@client.post("/keys/<id:key_id>/rotate")
def rotate_key(key_id: str) -> Response:
    """Give a key a new secret; it is shown on this page, and the old one opens for a while."""
    form = Form()
    path, body = f"/client/api-keys/{key_id}", form.body(whole=["overlapSeconds"])
    answer = send("POST", f"{path}/rotate", form, body)
    if answer.refused:
        return _key(key_id, form)
    made, first = answer["key"], [Call("GET", "/client/balance")]
    retiring = ask(path)["key"]["retiring"]
    return show(
        "secret", title="API key", made=made, secret=made["rawKey"], retiring=retiring, acts=first
    )


@client.post("/keys/<id:key_id>/revoke")
def revoke_key(key_id: str) -> AnyResponse:
    """End a key, at once."""
    form = Form()
    if send("DELETE", f"/client/api-keys/{key_id}", form).refused:
        return _keys(form)
    return done("The key is revoked.", "/app/keys")


@client.get("/webhooks")
def webhooks() -> Response:
    """Show the endpoints, and ask for a new one."""
    return _webhooks(Form())


@client.post("/webhooks")
def make_webhook() -> Response:
    """Add an endpoint; its secret is shown on this page, and never again."""
    form = Form()
    body = form.body("url", "description", lists=["events"], whole=["throttlePerSecond"])
    answer = send("POST", "/client/webhooks", form, body)
    if answer.refused:
        return _webhooks(form)
    made = answer["webhook"]
    return show("secret", title="Webhook secret", made=made, secret=made["secret"])


@client.get("/webhooks/<id:webhook_id>")
def one_webhook(webhook_id: str) -> Response:
    """Show an endpoint and what was delivered to it."""
    return _webhook(webhook_id, Form())


@client.post("/webhooks/<id:webhook_id>/change")
def change_webhook(webhook_id: str) -> AnyResponse:
    """Change what an endpoint is told, or whether."""
    form = Form()
    body = form.body("url", "description", lists=["events"], whole=["throttlePerSecond"])
    body["enabled"] = form["enabled"] == "yes"
    # Only what is changed: an address that stays is not judged again.
    stands = ask(f"/client/webhooks/{webhook_id}")["webhook"]
    changed = {name: value for name, value in body.items() if stands[name] != value}
    if changed and send("PATCH", f"/client/webhooks/{webhook_id}", form, changed).refused:
        return _webhook(webhook_id, form)
    return done("Saved.", f"/app/webhooks/{webhook_id}")


@client.post("/webhooks/<id:webhook_id>/remove")
def remove_webhook(webhook_id: str) -> AnyResponse:
    """Take an endpoint away."""
    form = Form()
    if send("DELETE", f"/client/webhooks/{webhook_id}", form).refused:
        return _webhook(webhook_id, form)
    return done("The endpoint is removed.", "/app/webhooks")


@client.post("/webhooks/<id:webhook_id>/rotate")
def rotate_secret(webhook_id: str) -> Response:
    """Give an endpoint a new secret; for a while both sign."""
    form = Form()
    path, body = f"/client/webhooks/{webhook_id}/rotate-secret", form.body(whole=["overlapSeconds"])
    answer = send("POST", path, form, body)
    if answer.refused:
        return _webhook(webhook_id, form)
    made = answer["webhook"]
    return show("secret", title="Webhook secret", made=made, secret=made["secret"])


@client.post("/webhooks/<id:webhook_id>/test")
def send_test(webhook_id: str) -> AnyResponse:
    """Send a test event."""
    form = Form()
    if send("POST", f"/client/webhooks/{webhook_id}/test", form, form.body("event")).refused:
        return _webhook(webhook_id, form)
    return done("The test event is on its way.", f"/app/webhooks/{webhook_id}")


@client.post("/webhooks/<id:webhook_id>/again")
def deliver_again(webhook_id: str) -> AnyResponse:
    """Replay from a number on, or recover what was missed since a moment."""
    form = Form()
    if form["after"]:
        asked, body = "replay", form.body(whole=["after"])
    else:
        asked, body = "recover", form.body("since")
        body |= {name: looks.moment(typed, zone()) for name, typed in body.items()}
    answer = send("POST", f"/client/webhooks/{webhook_id}/{asked}", form, body)
    if answer.refused:
        return _webhook(webhook_id, form)
    return done("Deliveries are under way again.", f"/app/webhooks/{webhook_id}")


@client.get("/webhooks/<id:webhook_id>/deliveries/<event:event_id>")
def one_delivery(webhook_id: str, event_id: str) -> Response:
    """Show a delivery: its body, each try, what came back."""
    return _delivery(webhook_id, event_id, Form())


@client.post("/webhooks/<id:webhook_id>/deliveries/<event:event_id>/resend")
def resend(webhook_id: str, event_id: str) -> AnyResponse:
    """Deliver once more."""
    form = Form()
    path = f"/client/webhooks/{webhook_id}/deliveries/{event_id}"
    if send("POST", f"{path}/resend", form).refused:
        return _delivery(webhook_id, event_id, form)
    return done("It is being sent again.", path.replace("/client", "/app", 1))


@client.get("/verify")
def verify() -> Response:
    """Show the form that finds out what is wrong with a signature."""
    return show("verify", form=Form(), found=None)


@client.post("/verify")
def verified() -> Response:
    """Say which part of a delivery does not fit. Nothing of it is kept."""
    form = Form()
    found = receiving.examine(
        headers=form["headers"], body=request.form.get("body", ""), secret=form["secret"]
    )
    return show("verify", form=form, found=found)


@client.get("/events")
def events() -> Response:
    """Show the event log of the account, newest first."""
    asked = {name: request.args.get(name) for name in ("before", "event")}
    listed = ask("/client/events", limit=50, order="desc", **asked)
    return show("events", form=Form(), listed=listed, names=NAMES)


@client.get("/events/<event:event_id>")
def one_event(event_id: str) -> Response:
    """Show one event, what changed since the one before of the same thing, and who was told."""
    one = ask(f"/client/events/{event_id}")["event"]
    before = _before(one)
    changes = looks.changes(before["data"], one["data"]) if before else []
    told = deliveries_of(event_id)
    return show("event", one=one, before=before, changes=changes, deliveries=told)


@client.get("/requests")
def requests() -> Response:
    """Show what the keys asked, and what is refused most."""
    cursor = request.args.get("cursor")
    return show(
        "requests",
        form=Form(),
        listed=ask("/client/requests", limit=50, cursor=cursor, **_requests_asked_for()),
        trouble=ask("/client/requests/errors")["errors"],
        keys=_names_of_keys(),
    )


@client.get("/requests.csv")
def requests_file() -> Response:
    """Give the whole of what the filters show, as a table for a spreadsheet."""
    return download("/client/requests", format="csv", **_requests_asked_for())


@client.get("/requests/<id:row_id>")
def one_request(row_id: str) -> Response:
    """Show one request: what was sent, and what was refused."""
    found = ask(f"/client/requests/{row_id}")["request"]
    return show("request", one=found, keys=_names_of_keys())


def _requests_asked_for() -> dict[str, str]:
    given = {name: request.args.get(name, "") for name in _FILTERS}
    asked = given | looks.span(request.args, zone())
    return {name: value for name, value in asked.items() if value}


def _names_of_keys() -> dict[str, str]:
    # Of those that stand: a revoked one has its id only.
    return {key["id"]: key["name"] for key in ask("/client/api-keys", limit=100)["keys"]}


def _keys(form: Form) -> Response:
    listed = ask("/client/api-keys", limit=50, cursor=request.args.get("cursor"))
    days = ask("/client/requests/days", days=figures.DAYS)["days"] if listed["keys"] else []
    say = words.speaker(words.chosen(), zone())
    return show(
        "keys",
        form=form,
        listed=listed,
        used={one["id"]: figures.used(say, days, one["id"]) for one in listed["keys"]},
        presets=_PRESETS,
        scopes=_SCOPES,
        two_factor=_two_factor(),
        acts=[Call("POST", "/client/api-keys", {"name": "Server", "permissions": "full"})],
    )


def _key(key_id: str, form: Form) -> Response:
    path = f"/client/api-keys/{key_id}"
    return show(
        "key",
        form=form,
        one=ask(path)["key"],
        overlaps=_overlaps(),
        two_factor=_two_factor(),
        acts=[Call("POST", f"{path}/rotate", {"overlapSeconds": 86_400}), Call("DELETE", path)],
    )


def _webhooks(form: Form) -> Response:
    example = {"url": "https://example.com/hooks", "events": ["deposit.confirmed"]}
    part = {"limit": 50, "cursor": request.args.get("cursor")}
    listed = ask("/client/webhooks", **part)
    health = ask("/client/webhooks/health", **part)["webhooks"] if listed["webhooks"] else []
    return show(
        "webhooks",
        form=form,
        listed=listed,
        health={one["id"]: one for one in health},
        names=NAMES,
        two_factor=_two_factor(),
        acts=[Call("POST", "/client/webhooks", example)],
    )


def _webhook(webhook_id: str, form: Form) -> Response:
    path = f"/client/webhooks/{webhook_id}"
    # Of deliveries that are looked at again nobody reads what all of them say together.
    health = None if looked_at_again() else ask(f"{path}/health")["health"]
    asked: dict[str, Any] = {name: request.args.get(name) for name in ("status", "event", "cursor")}
    return show(
        "webhook",
        form=form,
        one=ask(path)["webhook"],
        health=health,
        figures=health and figures.answered(words.speaker(words.chosen(), zone()), health),
        listed=ask(f"{path}/deliveries", limit=25, **asked),
        names=NAMES,
        overlaps=_overlaps(),
        two_factor=_two_factor(),
        acts=[Call("POST", f"{path}/test"), Call("POST", f"{path}/replay", {"after": 0})],
    )


def _before(one: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the event before this one of the same thing, if there is one."""
    if not one["data"].get("id"):
        return None
    asked = {"object": one["data"]["id"], "before": one["sequence"], "order": "desc", "limit": 1}
    found: Sequence[Mapping[str, Any]] = ask("/client/events", **asked)["events"]
    return found[0] if found else None


def deliveries_of(event_id: str) -> Sequence[Mapping[str, Any]]:
    """Return an event's delivery to each endpoint; nothing for who may not see them."""
    try:
        answer = ask(f"/client/events/{event_id}/deliveries")
    except Refused as refused:
        if refused.answer.status != HTTPStatus.FORBIDDEN:
            raise
        return ()
    found: Sequence[Mapping[str, Any]] = answer["deliveries"]
    return found


def _overlaps() -> Sequence[tuple[str, str]]:
    say = words.speaker(words.chosen(), zone())
    return [(seconds, say(word)) for seconds, word in _OVERLAPS]


def _delivery(webhook_id: str, event_id: str, form: Form) -> Response:
    path = f"/client/webhooks/{webhook_id}/deliveries/{event_id}"
    acts = [Call("POST", f"{path}/resend")]
    found = ask(path)["delivery"]
    return show("delivery", form=form, one=found, webhook_id=webhook_id, acts=acts)


def _two_factor() -> bool:
    enabled: bool = ask("/client/2fa")["twoFactor"]["enabled"]
    return enabled
