"""What the pages say, found by the English sentence; what has no translation stays English.

A sentence has ``{names}`` for values. Amounts, numbers and moments among them are written as the
language writes them. One with ``{count}`` is counted: it stands in ``COUNTED`` under the English of
many and takes the form of the number. What is before a ``|`` is not said: it tells two sentences
apart that English says alike (``say("payout|Sent")``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal

from flask import request

from protonpay.kernel import clock
from protonpay.kernel.fiat import FiatAmount
from protonpay.kernel.money import Usdc
from protonpay.locales import formats
from protonpay.locales.formats import LANGUAGES
from protonpay.portal.catalogue import (
    account,
    blanks,
    building,
    charts,
    client,
    components,
    front,
    guarding,
    letters,
    notified,
    pay,
    reference,
    requests,
    resolving,
    seeking,
    selling,
    testing,
)
from protonpay.portal.catalogue.counted import Counted

AREAS = (
    pay,
    letters,
    charts,
    components,
    client,
    account,
    reference,
    requests,
    resolving,
    front,
    guarding,
    selling,
    notified,
    building,
    seeking,
    blanks,
    testing,
)
"""The files of the catalogue. Two may say the same sentence only with the same translation."""

SWITCH = "lang"
"""In an address: which language it is in from now on. The cookie of this name remembers it."""

IN_RUSSIAN: Mapping[str, str] = {
    english: russian for area in AREAS for english, russian in area.IN_RUSSIAN.items()
}
COUNTED: Mapping[str, Counted] = {
    english: forms for area in AREAS for english, forms in getattr(area, "COUNTED", {}).items()
}

_WRITTEN: Mapping[type, Callable[..., str]] = {
    Usdc: formats.usdc,
    FiatAmount: formats.fiat,
    int: formats.number,
    Decimal: formats.number,
    date: formats.day,
}


@dataclass(frozen=True, slots=True)
class Say:
    """Says sentences in a language: ``say("Send {rest} USDC", rest=Usdc(50_000_000))``.

    Attributes:
        zone: the time zone in which moments are told.
    """

    language: str
    zone: tzinfo = UTC

    def __call__(self, sentence: str, **values: object) -> str:
        """Say a sentence of the catalogue, with values in place of its names.

        No line ends between an amount and its USDC.
        """
        written = {name: self.value(value) for name, value in values.items()}
        found = self._found(sentence, values.get("count")).replace("} USDC", "}\u00a0USDC")
        return found.format(**written)

    def value(self, value: object) -> str:
        """Write a value as the language writes it; what is of no known kind, as it is."""
        if isinstance(value, datetime):
            return formats.moment(self.language, value, self.zone)
        write = _WRITTEN.get(type(value))
        return write(self.language, value) if write else str(value)

    def amount(self, amount: Usdc | str, *, signed: bool = False) -> str:
        """Write USDC, also from the API's form; signed: what came or went, with its sign."""
        known = _read(amount) if isinstance(amount, str) else amount
        return (formats.signed if signed else formats.usdc)(self.language, known)

    def at(self, moment: str) -> str:
        """Write a moment from the API's form."""
        return self.value(clock.from_text(moment))

    def day(self, at: datetime) -> str:
        """Write the date of a moment, in the zone of moments."""
        return formats.day(self.language, at.astimezone(self.zone).date())

    def month(self, month: str) -> str:
        """Write a month from the API's form, ``2026-03``."""
        return formats.month(self.language, date.fromisoformat(f"{month}-01"))

    def _found(self, sentence: str, count: object) -> str:
        forms = COUNTED.get(sentence)
        if forms is not None and isinstance(count, int | Decimal):
            form = formats.plural_form(self.language, count)
            return str(getattr(getattr(forms, self.language), form))
        if self.language == "ru" and sentence in IN_RUSSIAN:
            return IN_RUSSIAN[sentence]
        return sentence.rpartition("|")[2]


def _read(text: str) -> Usdc:
    amount = Usdc.parse(text.removeprefix("-"))
    return Usdc(-amount.micro) if text.startswith("-") else amount


def sentence(english: str) -> str:
    """Return a sentence that is said later; refuse one that the catalogue does not have.

    Raises:
        KeyError: as soon as the module is read that has it.
    """
    if english not in IN_RUSSIAN and english not in COUNTED:
        raise KeyError(english)
    return english


def chosen() -> str:
    """Return the language of a page: of its address, as chosen before, or what the browser asks."""
    for told in (request.args.get(SWITCH), request.cookies.get(SWITCH)):
        if told in LANGUAGES:
            return told
    return request.accept_languages.best_match(LANGUAGES, LANGUAGES[0]) or LANGUAGES[0]


def speaker(language: str, zone: tzinfo = UTC) -> Say:
    """Return what says sentences in a language, and moments in a time zone."""
    return Say(language, zone)
