"""Currencies that a central bank holds at a fixed price of the US dollar."""

from collections.abc import Mapping

from protonpay.kernel.fiat import Rate

PEGS: Mapping[str, Rate] = {
    # One USDC is redeemed for one dollar (Circle, USDC terms).
    "USD": Rate.parse("1"),
    # Central Bank of the UAE: 3.6725 dirhams for a dollar since November 1997.
    "AED": Rate.parse("3.6725"),
    # Saudi Central Bank: 3.75 riyals for a dollar since June 1986.
    "SAR": Rate.parse("3.75"),
    # Central Bank of Oman: 2.6008 dollars for a rial since 1986, which it states as 0.3845.
    "OMR": Rate.parse("0.3845"),
    # Central Bank of Bahrain: 0.376 dinars for a dollar since 2001 (decree 48 of that year).
    "BHD": Rate.parse("0.376"),
}
"""Units for one dollar. The Kuwaiti dinar is not here: its basket is secret."""
