"""Foreign numbers become exact amounts and rates, or are refused."""

from decimal import Decimal

import pytest

from protonpay.kernel.fiat import FiatAmount, Rate


@pytest.mark.parametrize(
    ("number", "currency", "text"),
    [
        (100, "USD", "100.00"),
        (Decimal("100.0"), "USD", "100.00"),
        (Decimal("12.5"), "KWD", "12.500"),
        (Decimal("12.500000"), "KWD", "12.500"),
        (Decimal("1.0E7"), "EGP", "10000000.00"),
        (Decimal("1E-2"), "USD", "0.01"),
        (0, "BHD", "0.000"),
        (10**12, "UZS", "1000000000000.00"),
    ],
)
def test_a_number_is_an_amount_however_it_is_written(number, currency, text):
    assert str(FiatAmount.from_number(number, currency)) == text


@pytest.mark.parametrize(
    ("number", "currency"),
    [
        (Decimal("0.001"), "USD"),
        (Decimal("12.5005"), "KWD"),
        (Decimal(-1), "USD"),
        (Decimal("-0.0"), "USD"),
        (Decimal("NaN"), "USD"),
        (Decimal("Infinity"), "USD"),
        (Decimal("1E+50000000"), "USD"),
        (Decimal("1E-50000000"), "USD"),
        (10**13, "USD"),
        (10**4000, "USD"),
        (True, "USD"),
        (12.5, "KWD"),
        ("12.5", "KWD"),
        (None, "KWD"),
        ([1], "KWD"),
        (1, "QAR"),
        (1, "usd"),
        (1, None),
        (1, ["USD"]),
    ],
)
def test_anything_else_is_refused(number, currency):
    with pytest.raises(ValueError, match=r".*"):
        FiatAmount.from_number(number, currency)


@pytest.mark.parametrize(
    ("number", "rate"),
    [
        (1, "1.0"),
        (Decimal("0.30695"), "0.30695"),
        (Decimal("12045.6700"), "12045.67"),
        (Decimal("0.123456780"), "0.12345678"),
        (Decimal("0.123456781"), "0.12345679"),
        (Decimal("0.999999991"), "1.0"),
        (Decimal("3.6725E0"), "3.6725"),
    ],
)
def test_a_rate_keeps_eight_decimals_and_never_rounds_down(number, rate):
    assert str(Rate.from_number(number)) == rate


@pytest.mark.parametrize(
    "number", [0, -1, Decimal(0), Decimal("1E-9"), Decimal("1E+9"), True, 0.3, "0.3", None]
)
def test_what_makes_no_sense_as_a_rate_is_refused(number):
    with pytest.raises(ValueError, match=r".*"):
        Rate.from_number(number)


@pytest.mark.parametrize(
    ("scaled", "basis_points", "raised"),
    [
        (10**8, 0, 10**8),
        (10**8, 1, 100_010_000),
        (1, 1, 2),
        (10_000, 1, 10_001),
        (9_999, 1, 10_000),
    ],
)
def test_a_spread_raises_a_rate_and_rounds_up(scaled, basis_points, raised):
    assert Rate(scaled).raised(basis_points) == Rate(raised)
