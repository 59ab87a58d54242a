"""The pay page of an invoice: complete without JavaScript, each state in words of its own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from protonpay.invoices.checkout import Checkout
from protonpay.invoices.states import CARD_ALIVE, CLAIM, REFUND, UNDECIDED
from protonpay.kernel import clock
from protonpay.portal.words import Say

_SIGNS = {"open": "○", "busy": "…", "good": "✓", "warn": "◐", "held": "!", "over": "·"}
_OFTEN, _SELDOM = 5, 15  # seconds
_MINUTES_TOLD = 120
"""From so many on, hours are told."""
_MONITORED = timedelta(days=1)
_CURRENCY_OF = dict(
    [
        *(("AE", "AED"), ("SA", "SAR"), ("EG", "EGP"), ("OM", "OMR"), ("KW", "KWD"), ("BH", "BHD")),
        *(("RU", "RUB"), ("KZ", "KZT"), ("UZ", "UZS"), ("KG", "KGS"), ("US", "USD")),
        *(("ru", "RUB"), ("kk", "KZT"), ("uz", "UZS"), ("ky", "KGS"), ("en", "USD")),
    ]
)
"""What people of a region, or else of a language, mostly have on their cards."""


@dataclass(frozen=True, slots=True)
class Face:
    """What a state looks like.

    Attributes:
        tone: open, busy, good, warn, held or over: a colour, never the only sign of it.
        refresh: after so many seconds the page looks again; 0 once nothing can change.
    """

    tone: str
    chip: str
    title: str
    said: str
    refresh: int = 0

    @property
    def sign(self) -> str:
        """What stands before the chip's word, for who does not see its colour."""
        return _SIGNS[self.tone]


def face(shown: Checkout, say: Say) -> Face:
    """Say how an invoice stands, to its payer."""
    state = shown.invoice.state
    if shown.card_coming and state in UNDECIDED:
        return _card_coming(shown, say)
    if shown.held and not shown.rest and state in UNDECIDED:
        return _held(shown, say)
    faces = {
        "PENDING": _pending,
        "CONFIRMING": _confirming,
        "PAID": _paid,
        "EXPIRED": _expired,
        "CANCELLED": _cancelled,
    }
    return faces.get(state, _refunded)(shown, say)


def time_left(shown: Checkout, say: Say) -> str:
    """Say how long an invoice can still be paid."""
    left = max(timedelta(0), shown.invoice.expires_at - clock.now())
    hours, minutes = left.seconds // 3600, left.seconds // 60 % 60
    if left.days:
        return say("{days} d {hours} h left", days=left.days, hours=hours)
    return say("{hours} h {minutes} min left", hours=hours, minutes=minutes)


def final_block(shown: Checkout, say: Say) -> str:
    """Say when the network that is slow made its newest final block."""
    minutes = shown.since_final_block
    if minutes is None:
        return say(
            "It is not known when {network} made its newest final block.", network=shown.slow
        )
    sentence = "Newest final block of {network}: less than a minute ago"
    if minutes:
        sentence = "Newest final block of {network}: {minutes} min ago"
    if minutes >= _MINUTES_TOLD:
        sentence = "Newest final block of {network}: {hours} h ago"
    return say(sentence, network=shown.slow, minutes=minutes, hours=minutes // 60)


def _pending(shown: Checkout, say: Say) -> Face:
    invoice = shown.invoice
    if shown.card is not None and shown.card.state == "DECLINED":
        said = say(
            "Nothing was charged. Try again, or pay {rest} USDC another way.", rest=shown.rest
        )
        return Face("warn", say("Not paid"), say("The card was declined"), said, _SELDOM)
    if shown.held and not invoice.received_micro:
        sentence = "{held} USDC has arrived and is being checked; {rest} USDC is still missing."
        said = say(sentence, held=shown.held, rest=shown.rest)
        title = say("Send {rest} USDC more", rest=shown.rest)
        return Face("warn", say("Part paid"), title, said, _SELDOM)
    if not invoice.received_micro:
        said = say("Choose a way to pay and send exactly this amount.")
        title = say("Send {rest} USDC", rest=shown.rest)
        return Face("open", say("Waiting for payment"), title, said, _SELDOM)
    said = say(
        "Received {paid} of {total} USDC. Send the rest to the same address.",
        paid=invoice.received_micro,
        total=invoice.amount_micro,
    )
    title = say("Send {rest} USDC more", rest=shown.rest)
    return Face("warn", say("Part paid"), title, said, _SELDOM)


def _held(shown: Checkout, say: Say) -> Face:
    said = say(
        "{held} USDC has arrived and is being checked. Do not pay again; nothing more is needed.",
        held=shown.held,
    )
    title = say("Payment received and under review")
    return Face("held", say("Under review"), title, said, _SELDOM)


def _card_coming(shown: Checkout, say: Say) -> Face:
    if shown.card is not None and shown.card.state == "REVIEW":
        said = say("Your card payment is being checked. Do not pay again; nothing more is needed.")
        title = say("Payment received and under review")
        return Face("held", say("Under review"), title, said, _SELDOM)
    said = say("Do not pay again. This page will say how it ended, and you can close it.")
    title = say("Your bank is processing the payment")
    return Face("busy", say("Card payment"), title, said, _OFTEN)


def _confirming(shown: Checkout, say: Say) -> Face:
    if shown.slow and not shown.rest:
        said = say(
            "{confirming} USDC is safe, and the payment will finish by itself. Do not pay again.",
            confirming=shown.confirming,
        )
        title = say("{network} is slow today", network=shown.slow)
        return Face("warn", say("Confirming"), title, said, _SELDOM)
    sentence = "{confirming} USDC is on its way. You can close this page; nothing more is needed."
    if shown.rest:
        sentence = "{confirming} USDC is on its way; {rest} USDC is still missing."
    said = say(sentence, confirming=shown.confirming, rest=shown.rest)
    title = say("Payment found, waiting for the network")
    return Face("busy", say("Confirming"), title, said, _OFTEN)


def _paid(shown: Checkout, say: Say) -> Face:
    invoice = shown.invoice
    sentence = "{seller} has received {paid} USDC."
    if invoice.over:
        sentence = "{seller} has received {paid} USDC, {over} USDC more than needed."
    elif invoice.is_short:
        sentence = "{seller} has received {paid} USDC. Short by {short} USDC, accepted."
    values = {"seller": shown.seller, "paid": invoice.received_micro}
    said = say(sentence, **values, over=invoice.over, short=invoice.missing)
    if invoice.late:
        said = f"{said} {say('It came after the deadline, and was accepted.')}"
    title = say("The payment has arrived")
    if invoice.over:
        title = say("Paid. You sent {over} USDC more than needed", over=invoice.over)
    said = _and_coming(shown, say, said)
    return Face("good", say("Paid"), title, said, _wait(shown))


def _expired(shown: Checkout, say: Say) -> Face:
    invoice, chip = shown.invoice, say("Expired")
    values = {"seller": shown.seller, "paid": invoice.received_micro}
    tone, title = "warn", ""
    if shown.confirming and not invoice.received_micro:
        title = say("The payment came after the deadline")
        said = say("Do not send anything more.")
    elif not invoice.received_micro:
        tone, title = "over", say("This invoice has expired")
        said = say("Do not send money to its address. Ask the seller for a new invoice.")
    elif invoice.late:
        title = say("The payment came after the deadline")
        said = say(
            "{seller} has received {paid} USDC, but the invoice had ended."
            " They can accept it or give it back: ask for it back here.",
            **values,
        )
    else:
        title = say("Expired, {paid} of {total} USDC arrived", **values, total=invoice.amount_micro)
        said = say(
            "{seller} has this money. Ask here for it back, or for an invoice for the rest.",
            **values,
        )
    return Face(tone, chip, title, _and_coming(shown, say, said), _wait(shown))


def _cancelled(shown: Checkout, say: Say) -> Face:
    said, invoice = say("Do not send money for it."), shown.invoice
    if invoice.received_micro:
        arrived = say(
            "Before that {paid} USDC arrived; {seller} has it.",
            paid=invoice.received_micro,
            seller=shown.seller,
        )
        said = f"{said} {arrived}"
    title = say("The seller cancelled this invoice")
    return Face("over", say("Cancelled"), title, _and_coming(shown, say, said), _wait(shown))


def _refunded(shown: Checkout, say: Say) -> Face:
    invoice = shown.invoice
    title = say("{refunded} USDC was returned", refunded=invoice.refunded_micro)
    if invoice.state == "REFUNDED":
        chip, said = say("Refunded"), say("All that was paid was given back.")
    else:
        chip = say("Partly refunded")
        said = say("Of {paid} USDC that was paid.", paid=invoice.received_micro)
    return Face("over", chip, title, _and_coming(shown, say, said), _wait(shown))


def _and_coming(shown: Checkout, say: Say, said: str) -> str:
    """Add what is still on its way, for an invoice that asks for nothing any more."""
    if not shown.confirming:
        return said
    coming = say(
        "{confirming} USDC has been seen on its way. It will be credited to {seller}.",
        confirming=shown.confirming,
        seller=shown.seller,
    )
    return f"{said} {coming}"


def _wait(shown: Checkout) -> int:
    by_card = shown.card is not None and shown.card.state in CARD_ALIVE
    going = any(one.state == REFUND.initial for one in shown.refunds)
    asked = shown.claim is not None and shown.claim.state == CLAIM.initial
    # What is late is mostly late by hours: it turns up on a page that is still open.
    listening = (
        shown.invoice.state == "EXPIRED" and clock.now() < shown.invoice.expires_at + _MONITORED
    )
    # An invoice for the rest was asked for: it may come while the page is open.
    rest = shown.invoice.rest_asked_at
    listening = listening or (rest is not None and clock.now() < rest + _MONITORED)
    still = shown.confirming or by_card or going or asked or shown.looking or listening
    return _SELDOM if still else 0


def tills(ways: Iterable[tuple[str, str]], languages: Sequence[str]) -> Sequence[tuple[str, str]]:
    """Return currency and provider of each way to pay by card, the likely ones first.

    Args:
        ways: currencies and the providers, set up, that take them.
        languages: what the payer's browser asks for, best first: ``ru-RU``.
    """
    likely = [
        _CURRENCY_OF[part] for tag in languages for part in _parts(tag) if part in _CURRENCY_OF
    ]
    first = list(dict.fromkeys([*likely, "USD"]))
    return sorted(ways, key=lambda till: [*first, till[0]].index(till[0]))


def _parts(tag: str) -> Sequence[str]:
    """Return the region of a language tag, then its language."""
    language, _, region = tag.replace("_", "-").partition("-")
    return [region.upper(), language.lower()]
