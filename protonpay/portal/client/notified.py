"""What a person should see: the list behind the bell."""

from collections.abc import Mapping
from typing import Any

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from protonpay.kernel import events, notices
from protonpay.portal import words
from protonpay.portal.client.api import Call
from protonpay.portal.client.forms import Form
from protonpay.portal.client.screens import ask, client, done, own_path, send, show, zone
from protonpay.portal.client.told import told

_PREFERENCES = "/client/notifications/preferences"
_TELEGRAM = "/client/notifications/telegram"
_SCREEN = "/app/notifications/preferences"
GROUPS = (
    (
        "Money in",
        (
            (events.DEPOSIT_CONFIRMED, "A deposit on chain is credited"),
            (events.DEPOSIT_CARD_SUCCESS, "A card deposit is credited"),
            (events.DEPOSIT_CARD_REFUNDED, "A card deposit is given back"),
            (notices.DEPOSIT_ON_HOLD, "A deposit is under review"),
        ),
    ),
    (
        "Money out",
        (
            (events.PAYOUT_COMPLETED, "A withdrawal has arrived"),
            (events.PAYOUT_FAILED, "A withdrawal has failed"),
            (events.TRANSFER_COMPLETED, "A transfer is sent or received"),
        ),
    ),
    (
        "Invoices",
        (
            (events.INVOICE_PAID, "An invoice is paid"),
            (events.INVOICE_PARTIALLY_PAID, "An invoice is paid in part"),
            (events.INVOICE_OVERPAID, "An invoice is over-paid"),
            (events.INVOICE_LATE_PAYMENT, "A payment comes too late for an invoice"),
            (events.INVOICE_REFUND_CLAIMED, "A payer asks for money back"),
            (events.INVOICE_REFUNDED, "An invoice is refunded"),
            (events.INVOICE_EXPIRED, "An invoice has expired"),
            (events.INVOICE_CANCELLED, "An invoice is cancelled"),
        ),
    ),
    (
        "Account",
        (
            (events.KYC_APPROVED, "The identity check is approved"),
            (events.KYC_REJECTED, "The identity check is not approved"),
            (notices.API_KEY_EXPIRING, "An API key is about to expire"),
            (notices.WEBHOOK_FAILING, "An endpoint does not take events"),
            (notices.WEBHOOK_DISABLED, "An endpoint is disabled"),
        ),
    ),
)
"""Every kind that letters are written of, as the screen shows it."""


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


@client.get("/notifications/preferences")
def notification_preferences() -> Response:
    """Show of what the account's owner is told, and where."""
    return _preferences(Form())


@client.post("/notifications/preferences")
def choose_letters() -> AnyResponse:
    """Choose of which kinds letters and messages are written."""
    form = Form()
    asked = form["ways"].split()
    wanted = {way: form.every(way) for way in ("email", "telegram") if way in asked}
    body = [
        {"kind": kind, **{way: kind in kinds for way, kinds in wanted.items()}}
        for kind in notices.LETTERS
    ]
    if send("PATCH", _PREFERENCES, form, {"preferences": body}).refused:
        return _preferences(form)
    return done("Saved.", _SCREEN)


@client.post("/notifications/telegram")
def link_telegram() -> Response:
    """Show the link that makes a Telegram chat the account's."""
    form = Form()
    answer = send("POST", _TELEGRAM, form)
    return _preferences(form, link=None if answer.refused else answer["link"])


@client.post("/notifications/telegram/unlink")
def unlink_telegram() -> AnyResponse:
    """Unlink the chat."""
    form = Form()
    if send("DELETE", _TELEGRAM, form).refused:
        return _preferences(form)
    return done("Unlinked.", _SCREEN)


def _preferences(form: Form, link: Mapping[str, Any] | None = None) -> Response:
    rows = {row["kind"]: row for row in ask(_PREFERENCES)["preferences"]}
    example = {"preferences": [{"kind": events.INVOICE_PAID, "email": False}]}
    return show(
        "notification_preferences",
        form=form,
        groups=[(title, [(rows[kind], said) for kind, said in kinds]) for title, kinds in GROUPS],
        always=[row for row in rows.values() if row["fixed"]],
        webhooks=events.NAMES,
        telegram=ask(_TELEGRAM)["telegram"],
        link=link,
        acts=[Call("PATCH", _PREFERENCES, example), Call("POST", _TELEGRAM)],
    )


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
