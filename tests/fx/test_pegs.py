"""Pegs: the official prices of a dollar, offline."""

from datetime import UTC, datetime

import pytest

from protonpay.fx.pegs import PEGS
from protonpay.fx.port import Quote, RateSource
from protonpay.fx.service import Rates
from protonpay.kernel import clock
from protonpay.kernel.errors import Unavailable
from protonpay.kernel.fiat import FiatAmount, Rate
from protonpay.kernel.money import Usdc

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Asked:
    """A source that notes what it is asked."""

    def __init__(self) -> None:
        self.currencies: list[str] = []

    def quote(self, currency: str) -> Quote:
        self.currencies.append(currency)
        return Quote(Rate.parse("0.30695"), "asked", NOON)


def test_the_pegs_are_the_central_banks():
    assert {currency: str(rate) for currency, rate in PEGS.items()} == {
        "USD": "1.0",
        "AED": "3.6725",
        "SAR": "3.75",
        "OMR": "0.3845",
        "BHD": "0.376",
    }


@pytest.mark.parametrize(
    ("paid", "currency", "bought"),
    [
        ("100.00", "USD", "100.00"),
        ("0.01", "USD", "0.01"),
        ("3.67", "AED", "0.999319"),
        ("3.75", "SAR", "1.00"),
        ("0.385", "OMR", "1.0013"),
        ("0.376", "BHD", "1.00"),
        ("0.001", "BHD", "0.002659"),
    ],
)
def test_what_a_pegged_currency_buys(paid, currency, bought):
    quote = Rates().quote(currency)
    assert quote.rate.to_usdc(FiatAmount.parse(paid, currency)) == Usdc.parse(bought)


def test_a_peg_needs_no_source_and_is_as_of_now():
    with clock.frozen(NOON):
        assert Rates().quote("AED") == Quote(PEGS["AED"], "peg", NOON)


def test_a_source_is_asked_for_the_others_and_never_for_a_peg():
    source, rates = Asked(), Rates()
    rates.bind(source)
    for currency in ("USD", "AED", "SAR", "OMR", "BHD", "KWD"):
        rates.quote(currency)
    assert source.currencies == ["KWD"]


@pytest.mark.parametrize("currency", ["KWD", "EGP", "RUB", "KZT", "UZS", "KGS", "XXX", "", "aed"])
def test_without_a_source_the_others_have_no_rate(currency):
    with pytest.raises(Unavailable) as caught:
        Rates().quote(currency)
    assert caught.value.code == "rate_unavailable"


def test_a_source_of_ours_is_a_rate_source():
    source: RateSource = Asked()
    assert source.quote("KWD").source == "asked"
