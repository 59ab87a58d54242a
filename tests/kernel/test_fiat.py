"""Minor units of each currency, and rates that never round in the payer's favour."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protonpay.kernel.fiat import EXPONENTS, FiatAmount, Rate
from protonpay.kernel.money import Usdc

unhurried = settings(deadline=None)

THREE_DECIMALS = {"KWD", "BHD", "OMR"}

currencies = st.sampled_from(sorted(EXPONENTS))
fiats = st.builds(FiatAmount, st.integers(0, 10**15 - 1), currencies)
rates = st.integers(1, 10**15).map(Rate)


@pytest.mark.parametrize("currency", sorted(EXPONENTS))
def test_each_currency_has_its_own_decimals(currency: str):
    decimals = 3 if currency in THREE_DECIMALS else 2
    assert EXPONENTS[currency] == decimals
    smallest = f"0.{'0' * (decimals - 1)}1"
    assert FiatAmount.parse(smallest, currency) == FiatAmount(1, currency)
    with pytest.raises(ValueError, match=r"decimals|exact amount"):
        FiatAmount.parse(f"{smallest}0", currency)


def test_a_currency_may_have_no_decimals(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(EXPONENTS, "JPY", 0)
    yen = FiatAmount.parse("1500", "JPY")
    assert (yen, str(yen)) == (FiatAmount(1500, "JPY"), "1500")
    assert Rate.parse("150.24").price(Usdc.parse("50"), "JPY") == FiatAmount(7512, "JPY")
    assert Rate.parse("150").to_usdc(yen) == Usdc.parse("10")
    with pytest.raises(ValueError, match="decimals"):
        FiatAmount.parse("1500.0", "JPY")


@unhurried
@given(fiats)
def test_what_is_printed_reads_back_as_the_same_amount(amount: FiatAmount):
    assert FiatAmount.parse(str(amount), amount.currency) == amount


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("1", "XXX"),
        ("1", "usd"),
        ("1", ""),
        ("", "USD"),
        ("-1", "USD"),
        ("+1", "USD"),
        ("01", "USD"),
        (".5", "USD"),
        ("5.", "USD"),
        ("1e2", "USD"),
        ("1_000", "USD"),
        ("1,5", "USD"),
        (" 1", "USD"),
        ("1\n", "USD"),
        ("\u0661", "USD"),
        ("1.001", "USD"),
        ("1.0001", "KWD"),
        ("10000000000000", "USD"),
        ("NaN", "USD"),
    ],
)
def test_refuses_what_is_not_an_exact_amount_of_a_known_currency(text: str, currency: str):
    with pytest.raises(ValueError, match=r"exact amount|decimals"):
        FiatAmount.parse(text, currency)


@pytest.mark.parametrize(
    ("number", "currency", "minor"),
    [
        (12, "KWD", 12_000),
        (Decimal("12.5"), "KWD", 12_500),
        (Decimal("100.0"), "USD", 10_000),
        (Decimal("100.00000"), "USD", 10_000),
        (Decimal("1.0E7"), "USD", 1_000_000_000),
        (Decimal("5E-2"), "USD", 5),
        (0, "USD", 0),
    ],
)
def test_reads_a_foreign_number_however_it_is_written(number, currency: str, minor: int):
    assert FiatAmount.from_number(number, currency) == FiatAmount(minor, currency)


@pytest.mark.parametrize(
    "number",
    [
        1.5,
        True,
        None,
        "1.5",
        -1,
        Decimal("-0.01"),
        Decimal("0.001"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        Decimal("1E+50000000"),
        Decimal("1E-50000000"),
        10**13,
    ],
    ids=repr,
)
def test_refuses_a_foreign_number_that_is_not_exact_or_makes_no_sense(number):
    with pytest.raises(ValueError, match=r"exact|decimals"):
        FiatAmount.from_number(number, "USD")


@pytest.mark.parametrize("currency", [None, 840, "XXX"])
def test_refuses_a_foreign_number_of_no_currency(currency):
    with pytest.raises(ValueError, match="currency"):
        FiatAmount.from_number(1, currency)


@unhurried
@given(rates)
def test_a_rate_reads_back_as_it_was_printed(rate: Rate):
    assert Rate.parse(str(rate)) == rate


@pytest.mark.parametrize(
    "text",
    ["", "0", "0.0", "0.00000000", "-1", "1e2", "01", ".5", "1.", "1.123456789", "100000000"],
)
def test_refuses_what_is_not_an_exact_rate_above_zero(text: str):
    with pytest.raises(ValueError, match="rate"):
        Rate.parse(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Decimal("3.6725"), "3.6725"),
        (1, "1.0"),
        (Decimal("0.000000001"), None),
        (Decimal("3.672500001"), "3.67250001"),
        (Decimal("3.672500000"), "3.6725"),
        (Decimal(0), None),
        (Decimal(-1), None),
        (Decimal("1E12"), None),
        (0.5, None),
    ],
    ids=repr,
)
def test_a_foreign_rate_is_rounded_up_beyond_the_eighth_decimal_or_refused(number, text):
    if text is None:
        with pytest.raises(ValueError, match=r"rate|exact"):
            Rate.from_number(number)
    else:
        assert str(Rate.from_number(number)) == text


@pytest.mark.parametrize(
    ("amount", "rate", "usdc"),
    [
        (FiatAmount(10_000, "USD"), "1", "100"),
        (FiatAmount(36_725, "AED"), "3.6725", "100"),
        (FiatAmount(100, "AED"), "3.6725", "0.272294"),
        (FiatAmount(12_500, "KWD"), "0.307", "40.716612"),
        (FiatAmount(1, "UZS"), "12750.5", "0"),
        (FiatAmount(0, "USD"), "1", "0"),
    ],
)
def test_converts_by_the_exponent_of_the_currency(amount: FiatAmount, rate: str, usdc: str):
    assert Rate.parse(rate).to_usdc(amount) == Usdc.parse(usdc)


@unhurried
@given(fiats, rates)
def test_converting_rounds_down_by_less_than_one_micro(amount: FiatAmount, rate: Rate):
    major = Fraction(amount.minor, 10 ** EXPONENTS[amount.currency])
    exact = major / Fraction(rate.scaled, 10**8) * 10**6
    assert exact - 1 < rate.to_usdc(amount).micro <= exact


@unhurried
@given(rates, st.integers(0, 10_000))
def test_a_spread_raises_the_rate_by_at_least_its_share(rate: Rate, basis_points: int):
    exact = Fraction(rate.scaled * (10_000 + basis_points), 10_000)
    assert exact <= rate.raised(basis_points).scaled < exact + 1
