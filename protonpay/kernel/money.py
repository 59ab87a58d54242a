"""USDC as whole micro-units (10⁻⁶ USDC): the only file that knows its decimals."""

import re
from dataclasses import dataclass
from functools import total_ordering
from typing import Self

MICRO_PER_USDC = 1_000_000
BASIS_POINTS = 10_000
# 18 whole digits keep every amount below 2⁶³ micro after the range check in parse().
_TEXT = re.compile(r"(0|[1-9][0-9]{0,17})(?:\.([0-9]{1,6}))?", re.ASCII)
MAX_MICRO = 2**63 - 1


@total_ordering
@dataclass(frozen=True, slots=True)
class Usdc:
    """An exact amount in micro-USDC; may be negative (a difference), never a float.

    Two amounts add, subtract and compare; nothing else is offered, so that
    every rounding has a name.
    """

    micro: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an exact decimal such as ``"12.5"``; refuse what would have to be rounded.

        ASCII digits only: no sign, exponent, space, separator or leading zero
        (documented amounts, "Money in" of the API reference).

        Raises:
            ValueError: the text is not such a number or does not fit 63 bits.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError("not an exact amount with at most six decimals")
        whole, fraction = match.groups(default="")
        micro = int(whole) * MICRO_PER_USDC + int(fraction.ljust(6, "0"))
        if micro > MAX_MICRO:
            raise ValueError("amount is too large")
        return cls(micro)

    def __str__(self) -> str:
        """Print with at least two and at most six decimals: ``1250.00``, ``0.012345``."""
        whole, fraction = divmod(abs(self.micro), MICRO_PER_USDC)
        decimals = f"{fraction:06d}".rstrip("0").ljust(2, "0")
        return f"{'-' if self.micro < 0 else ''}{whole}.{decimals}"

    def __add__(self, other: Self) -> Self:
        return type(self)(self.micro + other.micro)

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.micro - other.micro)

    def __lt__(self, other: Self) -> bool:
        return self.micro < other.micro

    def __bool__(self) -> bool:
        return self.micro != 0

    @property
    def whole(self) -> int:
        """Whole USDC, rounded down."""
        return self.micro // MICRO_PER_USDC

    def portion(self, part: Self, whole: Self) -> Self:
        """Return as much of this as ``part`` is of ``whole``, rounded down.

        Of all of ``whole`` it is all of this, and growing parts never give less: what the
        steps of a cumulative amount add up to loses nothing.
        """
        return type(self)(self.micro * part.micro // whole.micro)

    def share_ceil(self, basis_points: int) -> Self:
        """Return a share in basis points, rounded up: for fees we charge."""
        return type(self)(-(-self.micro * basis_points // BASIS_POINTS))

    def before_share(self, basis_points: int) -> Self:
        """Return the largest amount that is not above this together with its ``share_ceil``."""
        return type(self)(self.micro * BASIS_POINTS // (BASIS_POINTS + basis_points))

    def share_floor(self, basis_points: int) -> Self:
        """Return a share in basis points, rounded down: for what we pay out."""
        return type(self)(self.micro * basis_points // BASIS_POINTS)


ZERO = Usdc(0)
