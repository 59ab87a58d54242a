"""What cannot be a rate, whoever says so: outside any price of living memory, or a wild jump."""

from collections.abc import Mapping
from datetime import timedelta

from protonpay.kernel.fiat import Rate

BOUNDS: Mapping[str, tuple[Rate, Rate]] = {
    currency: (Rate.parse(lowest), Rate.parse(highest))
    for currency, lowest, highest in (
        ("KWD", "0.2", "0.5"),
        ("EGP", "10", "250"),
        ("RUB", "20", "400"),
        ("KZT", "100", "3000"),
        ("UZS", "3000", "60000"),
        ("KGS", "30", "400"),
    )
}
"""Units for one dollar, about a fifth to five times of what was ever seen in this decade: a source
that mixes up two currencies, a unit or a direction is found here even at its first word."""

MOST_CHANGE_BPS = 1500
"""The widest change between two answers: Egypt's pound fell by 38 % in a day, once in ten years,
and on such a day nobody should be quoted anything before a person has looked."""

KNOWN_FOR = timedelta(hours=24)
"""How long a rate is compared with: what the source keeps saying for longer is the price."""


def is_possible(currency: str, rate: Rate) -> bool:
    """Tell whether a currency may cost this at all; one without bounds may cost anything."""
    lowest, highest = BOUNDS.get(currency, (rate, rate))
    return lowest.scaled <= rate.scaled <= highest.scaled


def is_a_jump(before: Rate, after: Rate) -> bool:
    """Tell whether a rate differs from the last known one by more than is believed."""
    change = abs(after.scaled - before.scaled)
    return change * 10_000 > before.scaled * MOST_CHANGE_BPS
