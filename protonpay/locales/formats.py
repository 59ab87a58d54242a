"""Numbers, money and moments as people of a language write and read them (CLDR, by Babel).

For screens and papers. What is copied, and what programs read, is the API's form: ``str(Usdc)``.
"""

import re
from datetime import date, datetime, tzinfo
from decimal import Decimal

from babel.core import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_compact_decimal, format_decimal

from protonpay.kernel.fiat import EXPONENTS, FiatAmount
from protonpay.kernel.money import Usdc

LANGUAGES = ("en", "ru")

_LOCALES = {language: Locale(language) for language in LANGUAGES}
_DAY = {"en": "d MMM y", "ru": "d MMM y 'г'."}
_MONTH = {"en": "LLLL y", "ru": "LLLL y 'г'."}
_PERCENT = {"en": "%", "ru": "\u00a0%"}
_RUBLE = "₽"
_LONG = 10_000
_MINUS = "\u2212"
_SPACES = re.compile(r"[ \u00a0\u2009\u202f]")
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,6})?", re.ASCII)
# One comma and three digits: a thousand to one reader, a fraction to another.
_AMBIGUOUS = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}", re.ASCII)


def number(language: str, value: int | Decimal) -> str:
    """Write a number: ``1,250.5``, ``1 250,5`` with no-break spaces."""
    return format_decimal(value, "#,##0.######", locale=_LOCALES[language])


def short(language: str, value: Decimal) -> str:
    """Write a round number in little room: ``2.5M``, ``2,5 млн``; below 10,000 as it is."""
    if abs(value) < _LONG:
        return number(language, value)
    return format_compact_decimal(value, locale=_LOCALES[language], fraction_digits=1)


def percent(language: str, value: Decimal) -> str:
    """Write so many of a hundred: ``1.5%``, ``1,5 %`` with a no-break space."""
    return f"{number(language, value)}{_PERCENT[language]}"


def usdc(language: str, amount: Usdc) -> str:
    """Write an amount with two to six decimals, its currency not: ``1,250.00``, ``1 250,00``."""
    return _decimal(language, str(amount), 2, 6)


def signed(language: str, amount: Usdc) -> str:
    """Write what came or went: with ``+`` or a minus that is as wide, zero with neither."""
    text = usdc(language, amount if amount.micro >= 0 else Usdc(-amount.micro))
    return f"{'+' if amount.micro > 0 else _MINUS if amount.micro < 0 else ''}{text}"


def fiat(language: str, amount: FiatAmount) -> str:
    """Write an amount with all decimals of its currency, and the currency: ``12.500 KWD``."""
    decimals = EXPONENTS[amount.currency]
    sign = _RUBLE if (language, amount.currency) == ("ru", "RUB") else amount.currency
    return f"{_decimal(language, str(amount), decimals, decimals)}\u00a0{sign}"


def day(language: str, at: date) -> str:
    """Write a date: ``14 Mar 2026``, ``14 мар. 2026 г.``."""
    return format_date(at, _DAY[language], locale=_LOCALES[language])


def month(language: str, at: date) -> str:
    """Write the month of a date by itself: ``March 2026``, ``март 2026 г.``."""
    return format_date(at, _MONTH[language], locale=_LOCALES[language])


def moment(language: str, at: datetime, zone: tzinfo) -> str:
    """Write a moment in a time zone, which it names: ``14 Mar 2026, 15:00 UTC+4``."""
    there = at.astimezone(zone)
    pattern = f"{_DAY[language]}, HH:mm"
    # None of Babel's own zones: the moment is there already.
    said = format_datetime(there.replace(tzinfo=None), pattern, locale=_LOCALES[language])
    return f"{said} {zone_name(language, there)}"


def zone_name(language: str, there: datetime) -> str:
    """Name the zone of a moment by its distance from UTC, Moscow's by its own name."""
    if str(there.tzinfo) == "Europe/Moscow":
        return {"en": "MSK", "ru": "МСК"}[language]
    offset = there.strftime("%z")  # +0530
    hours, minutes = offset[1:3].lstrip("0") or "0", offset[3:5]
    if hours == "0" and minutes == "00":
        return "UTC"
    return f"UTC{offset[0].replace('-', _MINUS)}{hours}{'' if minutes == '00' else f':{minutes}'}"


def plural_form(language: str, count: int | Decimal) -> str:
    """Return which form a count takes (CLDR): one, few, many or other."""
    return _LOCALES[language].plural_form(count)


def plural_forms(language: str) -> frozenset[str]:
    """Return every form that counts of a language take."""
    return frozenset({*_LOCALES[language].plural_form.tags, "other"})


def read_usdc(text: str) -> Usdc:
    """Read an amount as people type it: ``12,5``, ``12.5``, ``1 250,00``, ``1,250.00``.

    Raises:
        ValueError: not an amount, one of more than six decimals, or ``1,250``, which is a thousand
            and a quarter to one reader and one and a quarter to another.
    """
    typed = _SPACES.sub("", text.strip())
    spaced = typed != text.strip()
    if _AMBIGUOUS.fullmatch(typed) and not spaced:
        raise ValueError("a comma of thousands, or of a fraction?")
    if _GROUPED.fullmatch(typed) and not (spaced or typed.startswith("0")):
        return Usdc.parse(typed.replace(",", ""))
    return Usdc.parse(typed.replace(",", "."))


def _decimal(language: str, text: str, least: int, most: int) -> str:
    fraction = f".{'0' * least}{'#' * (most - least)}" if most else ""
    return format_decimal(Decimal(text), f"#,##0{fraction}", locale=_LOCALES[language])
