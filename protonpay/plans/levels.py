"""What a level of identity raises: a plan's limits for those whose identity is approved at it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from protonpay.kernel.errors import Invalid
from protonpay.kernel.money import Usdc
from protonpay.users.states import LEVELS

LIMITS = ("single_limit_micro", "daily_limit_micro")
"""The columns of a plan that a level raises."""

Changes = Mapping[int, Mapping[str, Usdc | None]]
"""Level → column → amount; None takes it away."""


@dataclass(frozen=True, slots=True)
class Raised:
    """The limits of a level; None where it leaves the plan's own."""

    single_limit: Usdc | None
    daily_limit: Usdc | None


def read(kept: Mapping[str, Mapping[str, int]]) -> Mapping[int, Raised]:
    """Return the levels of a plan as its column has them, the lowest first."""
    return {
        int(level): Raised(*(Usdc(raised[each]) if each in raised else None for each in LIMITS))
        for level, raised in sorted(kept.items())
    }


def highest(own: Usdc, raised: Iterable[Usdc | None]) -> Usdc:
    """Return what a limit is raised to: no level ever lowers one."""
    return max([own, *(each for each in raised if each is not None)])


def merged(kept: Mapping[str, Mapping[str, int]], changes: Changes) -> dict[str, Any]:
    """Return a plan's column with these changes.

    Raises:
        Invalid: no such level or limit, or an amount below zero (``validation_error``).
    """
    new = {level: dict(raised) for level, raised in kept.items()}
    for level, limits in changes.items():
        if level not in LEVELS or not set(limits) <= set(LIMITS):
            raise Invalid("validation_error", "Name what changes, as the plan has it.")
        mine = new.setdefault(str(level), {})
        for name, amount in limits.items():
            if amount is None:
                mine.pop(name, None)
            elif amount.micro < 0:
                said = "No number of a plan is below zero or above the whole."
                raise Invalid("validation_error", said)
            else:
                mine[name] = amount.micro
    return {level: raised for level, raised in new.items() if raised}
