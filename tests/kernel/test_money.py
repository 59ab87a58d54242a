"""USDC is exact, or it is refused."""

import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protonpay.kernel.money import MAX_MICRO, ZERO, Usdc

unhurried = settings(deadline=None)

# The documented form (API reference §12, "Money in"), written a second time on purpose.
DOCUMENTED = re.compile(r"\A(0|[1-9][0-9]{0,17})(\.[0-9]{1,6})?\Z", re.ASCII)

amounts = st.integers(0, MAX_MICRO).map(Usdc)
differences = st.integers(-MAX_MICRO, MAX_MICRO).map(Usdc)
shares = st.integers(0, 10_000)

REFUSED = [
    "",
    " ",
    " 1",
    "1 ",
    "1\n",
    "\t1",
    "1\u00a0",
    "\ufeff1",
    "1\x00",
    "+1",
    "-1",
    "-0",
    "--1",
    "\u22121",
    "01",
    "00",
    "00.5",
    ".5",
    "5.",
    ".",
    "1.1.1",
    "1,5",
    "1,000",
    "1 000",
    "1_000",
    "1'000",
    "1e2",
    "1E+2",
    "1E-2",
    "1E+1000000",
    "0x10",
    "1f",
    "$1",
    "1 USDC",
    "NaN",
    "sNaN",
    "inf",
    "Infinity",
    "null",
    "true",
    "\u0661\u0662",  # Arabic-Indic digits
    "\uff11",  # a fullwidth digit
    "\u00bd",
    "1\u00b2",
    "1.0000001",
    "0.0000000",
    "1.000000000000000000000000000000",
    "9223372036854.775808",
    "999999999999999999.999999",
    "1000000000000000000",
    "9" * 5000,
]


@pytest.mark.parametrize("text", REFUSED)
def test_refuses_every_spelling_but_the_documented_one(text: str):
    with pytest.raises(ValueError, match=r"exact amount|too large"):
        Usdc.parse(text)


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        ("0", 0),
        ("0.0", 0),
        ("0.000000", 0),
        ("1", 1_000_000),
        ("1.5", 1_500_000),
        ("1.50", 1_500_000),
        ("0.000001", 1),
        ("0.012345", 12_345),
        ("1250.00", 1_250_000_000),
        ("9223372036854.775807", MAX_MICRO),
    ],
)
def test_reads_the_documented_spelling_exactly(text: str, micro: int):
    assert Usdc.parse(text) == Usdc(micro)


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (0, "0.00"),
        (1, "0.000001"),
        (10, "0.00001"),
        (12_345, "0.012345"),
        (500_000, "0.50"),
        (1_000_000, "1.00"),
        (1_250_000_000, "1250.00"),
        (1_234_500, "1.2345"),
        (-1, "-0.000001"),
        (-1_500_000, "-1.50"),
        (MAX_MICRO, "9223372036854.775807"),
    ],
)
def test_prints_two_to_six_decimals(micro: int, text: str):
    assert str(Usdc(micro)) == text


@unhurried
@given(amounts)
@example(Usdc(MAX_MICRO))
def test_what_is_printed_reads_back_as_the_same_amount(amount: Usdc):
    text = str(amount)
    assert re.fullmatch(r"[0-9]+\.[0-9]{2}(|[0-9]{0,3}[1-9])", text)
    assert Usdc.parse(text) == amount


@unhurried
@given(
    st.builds(
        "{}{}{}".format,
        st.integers(0, 10**18 - 1) | st.integers(0, 10**13),
        st.sampled_from([".0", ".00", ".1", ".9"]),
        st.integers(0, 9999),
    )
)
@example("9223372036854.775807")
@example("9223372036854.775808")
def test_a_documented_number_is_read_to_the_last_digit_or_does_not_fit(text: str):
    exact = Decimal(text).scaleb(6)
    if exact > MAX_MICRO:
        with pytest.raises(ValueError, match="too large"):
            Usdc.parse(text)
    else:
        assert Usdc.parse(text).micro == exact


@unhurried
@given(st.text(st.sampled_from("0123456789.-+eE_ ,\n\u0661\uff11x"), max_size=12) | st.text())
def test_no_other_text_is_an_amount(text: str):
    try:
        amount = Usdc.parse(text)
    except ValueError:
        assert not DOCUMENTED.match(text)
    else:
        assert DOCUMENTED.match(text)
        assert amount.micro == Decimal(text).scaleb(6)


@unhurried
@given(differences, differences)
def test_amounts_add_subtract_and_compare_like_their_micros(a: Usdc, b: Usdc):
    assert (a + b).micro == a.micro + b.micro
    assert (a - b).micro == a.micro - b.micro
    assert (a + b) - b == a
    assert (a < b, a <= b, a > b, a == b) == (
        a.micro < b.micro,
        a.micro <= b.micro,
        a.micro > b.micro,
        a.micro == b.micro,
    )
    assert bool(a) is (a.micro != 0)


@pytest.mark.parametrize(
    "sneak",
    [
        lambda usdc: usdc * 2,
        lambda usdc: usdc / 2,
        lambda usdc: usdc // 2,
        lambda usdc: usdc % 2,
        lambda usdc: -usdc,
        round,
        float,
        int,
    ],
)
def test_nothing_rounds_without_a_name(sneak):
    with pytest.raises(TypeError):
        sneak(Usdc(3))


def test_an_amount_cannot_be_changed_nor_mistaken_for_a_number():
    with pytest.raises(AttributeError):
        ZERO.micro = 1  # type: ignore[misc]
    assert ZERO != 0
    assert len({Usdc(1), Usdc(1), Usdc(2)}) == 2


@unhurried
@given(differences, shares)
def test_a_share_is_rounded_by_less_than_one_micro_and_in_its_own_direction(
    amount: Usdc, basis_points: int
):
    exact = Fraction(amount.micro * basis_points, 10_000)
    assert exact - 1 < amount.share_floor(basis_points).micro <= exact
    assert exact <= amount.share_ceil(basis_points).micro < exact + 1


@unhurried
@given(differences, shares)
def test_a_share_and_the_rest_are_the_whole(amount: Usdc, basis_points: int):
    rest = amount.share_floor(10_000 - basis_points)
    assert amount.share_ceil(basis_points) + rest == amount


@pytest.mark.parametrize(("micro", "whole"), [(0, 0), (999_999, 0), (1_000_000, 1), (-1, -1)])
def test_whole_is_rounded_down(micro: int, whole: int):
    assert Usdc(micro).whole == whole
