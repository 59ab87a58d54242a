"""How a screen writes what the API says: codes as words, addresses in groups, queries."""

import json
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask.blueprints import BlueprintSetupState
from markupsafe import Markup, escape

from protonpay.chains.registry import network
from protonpay.kernel.fiat import EXPONENTS, FiatAmount
from protonpay.kernel.scopes import FULL
from protonpay.locales import formats
from protonpay.portal import words
from protonpay.portal.client import looks
from protonpay.portal.client.api import Call
from protonpay.portal.words import Say

Pairs = Sequence[tuple[str, str]]

_PROVIDERS = {"tap": "Tap", "yookassa": "YooKassa", "freedompay": "FreedomPay"}
_EXPLORERS = {
    "Solana": "https://solscan.io/tx/",
    "Base": "https://basescan.org/tx/",
    "Polygon": "https://polygonscan.com/tx/",
}
_PLACES = {"DEPOSIT": "deposits", "WITHDRAWAL": "withdrawals", "TRANSFER": "transfers"}
_PROBLEMS = {
    "insufficient_balance": "The balance does not cover this amount.",
    "plan_limit_exceeded": "This is more than one withdrawal may be.",
    "daily_limit_exceeded": "This is more than the limit of 24 hours leaves.",
    "withdrawal_cooldown": "The last withdrawal was a moment ago.",
    "email_unverified": "Verify your e-mail address first.",
    "invalid_address": "This is no address of this network, or it has a typing error.",
    "own_deposit_address": "This is your own deposit address.",
    "own_invoice_address": "This is the address of an invoice of your own.",
    "address_not_listed": "This address is not in your address book.",
    "address_waiting": "This address is new in your address book: it waits for a day.",
    "withdrawals_frozen": "Withdrawals of this account are frozen.",
    "kyc_required": "This plan needs an approved identity check first.",
}
AT_THE_ADDRESS = frozenset(name for name in _PROBLEMS if "address" in name)
"""Of these the ones that stand beside the address."""
AT_THE_AMOUNT = frozenset({"insufficient_balance", "plan_limit_exceeded", "daily_limit_exceeded"})
"""And beside the amount."""
_PASSES = "withdrawal_cooldown"
_WAITS = {
    "processing": "It is being prepared.",
    "review": "It is being looked at.",
    "cancellation": "You have asked for it back: it returns once it is sure that it was not sent.",
    "confirmation": "Sent, waiting for the network to show it. It will not be sent twice.",
    "paused": "Payouts are paused. It goes out when they go on.",
    "account_frozen": "Withdrawals of this account are frozen.",
}
_CREDITED = {
    "Solana": "Once it is final, some 15 seconds after it is sent.",
    "Base": "Some 2 minutes after it is sent; a large amount once it is final, some 20 minutes.",
    "Polygon": "Once it is final, some 5 seconds after it is sent.",
}
_CREDITED_ELSEWHERE = "Once its network calls it final."
_SENT = {
    "Solana": "On the network within seconds, final some 15 seconds later.",
    "Base": "On the network within seconds, final some 20 minutes later.",
    "Polygon": "On the network within seconds, final some 5 seconds later.",
}
_SENT_ELSEWHERE = "On the network within seconds, final once it says so."
_WAITS_LATER = "It waits its turn and goes out by itself."

_OF = {("invoice", "PENDING"): "invoice|Open"}

_FAILED: Mapping[str, str] = {
    "wrong_password": "The password was wrong.",
    "wrong_code": "The password was right, the code was wrong.",
    "wrong_passkey": "The password was right, the passkey was not.",
    "suspended": "The account is suspended.",
}
_ENDED = {
    "signed_out": "Signed out.",
    "revoked": "Ended from another session.",
    "ran_out": "Expired.",
    "password_changed": "The password was changed.",
    "password_reset": "The password was reset.",
    "two_factor_changed": "The second factor was changed.",
    "frozen": "The account was stopped by the link in an e-mail.",
    "suspended": "The account was suspended.",
    "refresh_token_reused": "A token of it was used twice, so two had it.",
}


SCOPES = {
    FULL: "Everything a key may do",
    "balance:read": "See the balance",
    "activity:read": "See what happened",
    "deposits:write": "Ask for deposits",
    "withdrawals:write": "Withdraw money",
    "transfers:write": "Transfer money",
    "invoices:write": "Make and manage invoices",
    "webhooks:write": "Manage webhooks",
}
"""What each scope of a key is in words."""
_NO_FILTERS = frozenset({words.SWITCH, "cursor"})


def register(state: BlueprintSetupState) -> None:
    """Give the templates these filters."""
    environment = state.app.jinja_env
    environment.filters.update(_FILTERS)
    # A sandbox's chains are known to no explorer.
    known = {} if environment.globals["test_data"] else _EXPLORERS
    environment.filters["explorer"] = partial(explorer, known)


def worded(code: str, of: str = "") -> str:
    """``ON_HOLD`` is "On hold", as the catalogue of words knows it; of some things it says more."""
    return _OF.get((of, code), code.replace("_", " ").capitalize())


def onward(args: Mapping[str, str], cursor: str | None) -> str:
    """Return a list's query with another cursor, its filters kept."""
    kept = {name: value for name, value in args.items() if name != "cursor"}
    return urlencode(kept | ({"cursor": cursor} if cursor else {}))


def place(row: Mapping[str, Any]) -> str:
    """Return the page of a line of activity; of an invoice's money, the invoice's."""
    if row["invoiceId"] and row["type"] == "TRANSFER":
        return f"/pay/{row['invoiceId']}"  # which both of its sides may open
    if row["invoiceId"] and row["method"] == "CRYPTO":
        return f"/app/invoices/{row['invoiceId']}"
    return f"/app/{_PLACES[row['type']]}/{row['id']}"


def within(args: Mapping[str, str], first: str, last: str) -> str:
    """Return a list's query for a span of days, its other filters kept."""
    kept = {name: value for name, value in args.items() if name != "cursor"}
    return urlencode(kept | {"from": first, "to": last})


def filtered(args: Mapping[str, str]) -> bool:
    """Tell whether a list's query asks for a part of it."""
    return any(value and name not in _NO_FILTERS for name, value in args.items())


def spoken_in(args: Mapping[str, str], language: str) -> str:
    """Return a page's query in another language, all else kept."""
    return urlencode(dict(args) | {words.SWITCH: language})


def query(members: Mapping[str, Any]) -> str:
    """Return members of a call as the query that fills its form again."""
    return urlencode({name: value for name, value in members.items() if value})


def as_json(body: Any) -> str:
    """Return a body as a person writes it."""
    return json.dumps(body, ensure_ascii=False)


def laid_out(text: str) -> str:
    """Return JSON as a person reads it, and what is none as it is."""
    try:
        return pretty(json.loads(text))
    except ValueError:
        return text


def as_curl(call: Call, api_url: str) -> str:
    """Return a call as it is typed into a shell; what a reader fills in is an ellipsis."""
    parts = [f"curl -s {'' if call.method == 'GET' else f'-X {call.method} '}{api_url}{call.path}"]
    if call.path.startswith("/client"):
        parts.append("-H 'Authorization: Bearer sk_live_…'")
        if call.method == "POST":
            parts.append("-H 'Idempotency-Key: …'")
    if call.body is not None:
        parts += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(as_json(call.body))}"]
    return " \\\n  ".join(parts)


def as_request(sent: Mapping[str, Any] | None) -> str:
    """Return a request of ours as it went out: its line and its headers."""
    if sent is None:
        return "—"
    headers = [f"{name}: {value}" for name, value in sent["headers"].items()]
    return "\n".join([f"POST {sent['url']}", *headers])


def pretty(body: Any) -> str:
    """Return a body over several lines."""
    return json.dumps(body, ensure_ascii=False, indent=2)


def grouped(address: str) -> Markup:
    """Return an address in groups of four, to be compared by eye; copied, it has no gaps."""
    groups = (escape(address[at : at + 4]) for at in range(0, len(address), 4))
    return Markup("<wbr>").join(Markup("<span>{}</span>").format(group) for group in groups)


def provider(name: str | None) -> str:
    """Return how a card provider writes itself."""
    return _PROVIDERS.get(name or "", name or "—")


def explorer(known: Mapping[str, str], tx_hash: str, network: str | None) -> str | None:
    """Return where a transaction can be looked at, if its network has such a place."""
    place = known.get(network or "")
    return None if place is None else place + tx_hash


def priced(fee: str, say: Say) -> str:
    """Return a fee of the API's, ``0.05 USDC + 1.5%``, as the language writes it."""
    return " + ".join(_part_priced(part, say) for part in fee.split(" + "))


def _part_priced(part: str, say: Say) -> str:
    if part.endswith("%"):
        return formats.percent(say.language, Decimal(part.removesuffix("%")))
    return f"{say.amount(part.removesuffix(' USDC'))}\u00a0USDC"


def fiat(amount: str, currency: str, say: Say) -> str:
    """Return an amount of the API's in a currency as the language writes it."""
    if currency not in EXPONENTS:
        return f"{say.amount(amount)}\u00a0{currency}"
    return say.value(FiatAmount.parse(amount, currency))


def typed(amount: str | None, say: Say) -> str:
    """Return an amount that nobody has judged yet: by the language, or as it was typed."""
    try:
        return say.amount(amount or "")
    except ValueError:
        return amount or "—"


def credited_said(network: str) -> str:
    """Return the sentence of when a deposit on a network is credited (docs/chains.md)."""
    return _CREDITED.get(network, _CREDITED_ELSEWHERE)


def sent_said(network: str) -> str:
    """Return the sentence of when a withdrawal on a network arrives (docs/chains.md)."""
    return _SENT.get(network, _SENT_ELSEWHERE)


def clocked(seconds: int) -> str:
    """Return a wait as a clock that runs down shows it: ``00:42``, ``1:00:00``."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def lasting(seconds: int, say: Say) -> str:
    """Return how long something lasts, in the largest unit of which it is a whole number."""
    if not seconds:
        return say("None")
    if seconds % 3600 == 0:
        return say("{count} hours", count=seconds // 3600)
    if seconds % 60 == 0:
        return say("{count} minutes", count=seconds // 60)
    return say("{count} seconds", count=seconds)


def scopes_said(permissions: str | Sequence[str], say: Say) -> Sequence[str]:
    """Return what a key may, each scope in words."""
    scopes = [permissions] if isinstance(permissions, str) else permissions
    return [say(SCOPES[scope]) for scope in scopes]


def scope_pairs(scopes: Iterable[str], say: Say) -> Pairs:
    """Return options with a word for each scope, and the scope as programs write it."""
    return [(scope, f"{say(SCOPES[scope])} ({scope})") for scope in scopes]


def problem_said(code: str) -> str:
    """Return the sentence of why a withdrawal would be refused."""
    return _PROBLEMS.get(code, worded(code))


def standing(problems: Iterable[str]) -> Sequence[str]:
    """Return those of a withdrawal's problems that no other address, amount or hour helps."""
    return [code for code in problems if code not in {*AT_THE_ADDRESS, *AT_THE_AMOUNT, _PASSES}]


def waits_said(reason: str) -> str:
    """Return the sentence of what a payout waits for."""
    return _WAITS.get(reason, _WAITS_LATER)


def ended_said(reason: str) -> str:
    """Return the sentence of why a session has ended."""
    return _ENDED.get(reason, worded(reason))


def failed_said(reason: str) -> str:
    """Return the sentence of why a sign-in has failed."""
    return _FAILED.get(reason, worded(reason))


def pairs(names: Iterable[str]) -> Pairs:
    """Return options that are called what they are."""
    return [(name, name) for name in names]


def families(names: Iterable[str]) -> Mapping[str, str]:
    """Return for each network its family: how its addresses are written."""
    return {name: network(name).family for name in names}


def said_pairs(codes: Iterable[str], say: Callable[[str], str]) -> Pairs:
    """Return options with a word for each code."""
    return [(code, say(worded(code))) for code in codes]


def drawn(svg: str) -> Markup:
    """Take a drawing of the API's own (a QR code) as it is."""
    return Markup(svg)  # noqa: S704 - made by web/qr.py, not by anybody else


_FILTERS: Mapping[str, Callable[..., Any]] = {
    "worded": worded,
    "onward": onward,
    "within": within,
    "place": place,
    "filtered": filtered,
    "spoken_in": spoken_in,
    "query": query,
    "as_curl": as_curl,
    "as_json": as_json,
    "as_request": as_request,
    "pretty": pretty,
    "laid_out": laid_out,
    "grouped": grouped,
    "provider": provider,
    "priced": priced,
    "fiat": fiat,
    "typed": typed,
    "exactly": Decimal,
    "credited_said": credited_said,
    "sent_said": sent_said,
    "clocked": clocked,
    "lasting": lasting,
    "scopes_said": scopes_said,
    "scope_pairs": scope_pairs,
    "problem_said": problem_said,
    "standing": standing,
    "waits_said": waits_said,
    "ended_said": ended_said,
    "failed_said": failed_said,
    "pairs": pairs,
    "families": families,
    "fitting": looks.fitting,
    "said_pairs": said_pairs,
    "qr": drawn,
}
