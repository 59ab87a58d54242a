"""Fiat amounts in minor units, and their conversion to USDC at a quoted rate."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from protonpay.kernel.money import BASIS_POINTS, MICRO_PER_USDC, Usdc

EXPONENTS = {
    "USD": 2,
    "AED": 2,
    "SAR": 2,
    "EGP": 2,
    "OMR": 3,
    "KWD": 3,
    "BHD": 3,
    "RUB": 2,
    "KZT": 2,
    "UZS": 2,
    "KGS": 2,
}
"""Decimals of each currency (ISO 4217; Tap's webhook page for its own seven)."""

_RATE_SCALE = 10**8
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,12})(?:\.([0-9]{1,3}))?", re.ASCII)
_DEEPEST, _HIGHEST = -30, 12  # powers of ten
_RATE = re.compile(r"(0|[1-9][0-9]{0,7})(?:\.([0-9]{1,8}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class FiatAmount:
    """A whole number of a currency's minor units: 12.500 KWD is 12500."""

    minor: int
    currency: str

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Read an exact decimal in major units.

        Raises:
            ValueError: unknown currency, or not a number with at most its decimals.
        """
        exponent = EXPONENTS.get(currency)
        match = _AMOUNT.fullmatch(text)
        if exponent is None or match is None:
            raise ValueError("not an exact amount of a known currency")
        whole, fraction = match.groups(default="")
        if len(fraction) > exponent:
            raise ValueError(f"{currency} has {exponent} decimals")
        return cls(int(whole + fraction.ljust(exponent, "0")), currency)

    @classmethod
    def from_number(cls, number: object, currency: object) -> Self:
        """Read a foreign JSON number in major units, however written: 12.5, 100.0, 1.0E7.

        Raises:
            ValueError: not an exact number, an unknown currency, or below its minor unit.
        """
        if isinstance(currency, str):
            return cls.parse(_plain(number), currency)
        raise ValueError("not a currency")

    def __str__(self) -> str:
        """Print in major units with all decimals of the currency: ``12.500``, ``1500``."""
        exponent = EXPONENTS[self.currency]
        if not exponent:
            return str(self.minor)
        whole, fraction = divmod(self.minor, 10**exponent)
        return f"{whole}.{fraction:0{exponent}d}"


@dataclass(frozen=True, slots=True)
class Rate:
    """Units of a currency for one USDC, exact to eight decimals (stored scaled by 10⁸)."""

    scaled: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an exact positive decimal such as ``"3.6725"``.

        Raises:
            ValueError: not such a number, or zero.
        """
        match = _RATE.fullmatch(text)
        if match is None:
            raise ValueError("not an exact rate with at most eight decimals")
        whole, fraction = match.groups(default="")
        scaled = int(whole) * _RATE_SCALE + int(fraction.ljust(8, "0"))
        if scaled == 0:
            raise ValueError("a rate is above zero")
        return cls(scaled)

    @classmethod
    def from_number(cls, number: object) -> Self:
        """Read a foreign JSON number; digits beyond the eighth round it up, in our favour.

        Raises:
            ValueError: not an exact number, zero or below, or without any sense as a rate.
        """
        whole, _, fraction = _plain(number).partition(".")
        rate = cls.parse(f"{whole}.{fraction[:8] or '0'}")
        return cls(rate.scaled + 1) if fraction[8:] else rate

    def raised(self, basis_points: int) -> Self:
        """Return the rate with a spread in our favour: more of the currency for one USDC."""
        return type(self)(-(-self.scaled * (BASIS_POINTS + basis_points) // BASIS_POINTS))

    def __str__(self) -> str:
        whole, fraction = divmod(self.scaled, _RATE_SCALE)
        return f"{whole}.{f'{fraction:08d}'.rstrip('0') or '0'}"

    def to_usdc(self, amount: FiatAmount) -> Usdc:
        """Convert, rounding down to a micro-USDC: the part below it was never bought."""
        numerator = amount.minor * MICRO_PER_USDC * _RATE_SCALE
        return Usdc(numerator // (10 ** EXPONENTS[amount.currency] * self.scaled))

    def price(self, amount: Usdc, currency: str) -> FiatAmount:
        """Return the least amount of a currency that buys so much USDC: rounded up.

        Raises:
            KeyError: unknown currency.
        """
        numerator = amount.micro * 10 ** EXPONENTS[currency] * self.scaled
        return FiatAmount(-(-numerator // (MICRO_PER_USDC * _RATE_SCALE)), currency)


def _plain(value: object) -> str:
    number = Decimal("NaN")
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = Decimal(value)
    exponent = number.as_tuple().exponent
    # Before anything is printed: 1E+50000000 is fifty million characters.
    if not isinstance(exponent, int) or exponent < _DEEPEST or number.adjusted() > _HIGHEST:
        raise ValueError("not an exact number of a sensible size")
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
