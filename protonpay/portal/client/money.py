"""Screens of money: the overview, deposits, withdrawals, transfers, activity."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.portal import words
from protonpay.portal.client import figures, looks, withdrawing
from protonpay.portal.client.api import Answer, Call, Refused
from protonpay.portal.client.forms import Form, amount
from protonpay.portal.client.screens import ask, booked, client, download, send, show, zone
from protonpay.portal.client.told import told

_TYPES = ("DEPOSIT", "WITHDRAWAL", "TRANSFER")
_STATUSES = (
    "PENDING",
    "CONFIRMED",
    "COMPLETED",
    "FAILED",
    "EXPIRED",
    "ON_HOLD",
    "REFUNDED",
    "PARTIALLY_REFUNDED",
)
_SIZES = ("25", "50", "100")
"""Of a page of activity."""
_NOBODY_TO_PAY = frozenset({"recipient_not_found", "self_transfer"})


@client.get("")
def overview() -> Response:
    """Show the balance, what is to be set up, and what happened lately."""
    standing = ask("/client/dashboard")
    fees = ask("/client/fees")["fees"]
    limits = fees["limits"]
    quote = withdrawing.room(fees)
    balance = ask("/client/balance")
    asked = request.args.get("days", "")
    span = next((each for each in figures.SPANS if str(each) == asked), figures.DAYS)
    days = ask("/client/balance/history", days=span)["history"]
    wrong = ask("/client/notifications", show="standing", limit=5)["notifications"]
    say = words.speaker(words.chosen(), zone())
    return show(
        "overview",
        wrong=told(wrong, say),
        standing=standing,
        limits=limits,
        quote=quote,
        used=quote and figures.limit_of_a_day(say, quote, limits["dailyWithdrawalLimit"]),
        balance=balance,
        figures=[figures.standing(say, days), figures.in_and_out(say, days, span)],
        spans=figures.SPANS,
        span=span,
        sending=Form(),
        acts=withdrawing.ASKED,
    )


@client.get("/transfer")
def transfer() -> Response:
    """Ask to whom, and how much."""
    return show("transfer", form=Form(), balance=ask("/client/balance"), acts=_TRANSFERRING)


@client.get("/transfer/confirm")
def confirm_transfer() -> Response:
    """Show a transfer before it is made."""
    return _paying(Form())


@client.post("/transfer")
def make_transfer() -> AnyResponse:
    """Make it; done once, however often it is sent."""
    form = Form()
    body = form.body("toIdentifier", "note", amounts=["amount"])
    answer = send("POST", "/client/transfer", form, body)
    if answer.refused:
        return show("transfer", form=form, balance=ask("/client/balance"), acts=_TRANSFERRING)
    return redirect(f"/app/transfers/{answer['transfer']['id']}", HTTPStatus.SEE_OTHER)


@client.get("/transfers/<id:transfer_id>")
def one_transfer(transfer_id: str) -> Response:
    """Show the receipt of a transfer."""
    answer = ask(f"/client/transfer/{transfer_id}")
    one = answer["transfer"]
    return show("transferred", answer=answer, one=one, entries=booked(one))


@client.get("/pay/<id:invoice_id>")
def to_pay(invoice_id: str) -> AnyResponse:
    """Lead to an invoice's own page, which has the form; who signs in on the way comes here."""
    return redirect(f"/pay/{invoice_id}")


@client.post("/pay/<id:invoice_id>")
def pay_invoice(invoice_id: str) -> AnyResponse:
    """Pay an invoice from the balance; done once, however often it is sent."""
    answer = send("POST", f"/client/invoices/{invoice_id}/pay", Form())
    if answer.refused:
        raise Refused(answer)
    return redirect(f"/pay/{invoice_id}", HTTPStatus.SEE_OTHER)


@client.get("/activity")
def activity() -> Response:
    """Show everything that happened, by the filters of the address."""
    form = Form()
    asked = _activity_asked_for(form)
    size = request.args.get("limit", _SIZES[0])
    try:
        listed = ask("/client/activity", limit=size, cursor=request.args.get("cursor"), **asked)
    except Refused as refused:
        if refused.answer.status != HTTPStatus.BAD_REQUEST:
            raise
        # Said beside the field that is wrong, the others kept.
        form.answer, listed = refused.answer, Answer(HTTPStatus.OK, {"activity": []})
    return show(
        "activity",
        form=form,
        listed=listed,
        types=_TYPES,
        statuses=_STATUSES,
        spans=looks.presets(clock.now().astimezone(zone()).date()),
        sizes=_SIZES,
    )


@client.get("/activity.csv")
def activity_file() -> Response:
    """Give the whole of what the filters show, as a table for a spreadsheet."""
    return download("/client/activity", format="csv", **_activity_asked_for(Form()))


def _activity_asked_for(form: Form) -> dict[str, str]:
    asked = {name: form[name] for name in ("q", "type", "status", "network")}
    asked |= {name: amount(form[name]) for name in ("minAmount", "maxAmount")}
    asked |= looks.span(request.args, zone())
    return {name: value for name, value in asked.items() if value}


def _paying(form: Form) -> Response:
    order = form.body("toIdentifier", "note", amounts=["amount"])
    balance = ask("/client/balance")
    whom = {"toIdentifier": order.get("toIdentifier", "")}
    payee = _payee(form, whom)
    if form.answer is not None:
        return show("transfer", form=form, balance=balance, acts=_TRANSFERRING)
    return show(
        "transfer_confirm",
        form=form,
        order=order,
        payee=payee,
        balance=balance,
        after=_left(balance["balanceUsdc"], order.get("amount", "")),
        acts=[Call("POST", "/client/transfer/payee", whom), *_TRANSFERRING],
    )


def _payee(form: Form, whom: Mapping[str, str]) -> str | None:
    """Return the masked name of who would be paid; None if none is told.

    The form knows if nobody can be paid so. Any other refusal is for the transfer itself to say.
    """
    answer = send("POST", "/client/transfer/payee", Form(), whom, once=False)
    if answer.code in _NOBODY_TO_PAY:
        form.answer = answer
    return None if answer.refused else answer["payee"]["name"]


def _left(balance: str, taken: str) -> str | None:
    """Return what is left of a balance; None if it is less than nothing, or not to be reckoned."""
    try:
        left = Usdc.parse(balance) - Usdc.parse(taken)
    except ValueError:
        return None
    return None if left.micro < 0 else str(left)


_TRANSFERRING: Sequence[Call] = (
    Call("POST", "/client/transfer", {"toIdentifier": "user@example.com", "amount": "25.00"}),
)
