"""Numbers, money and moments of each language: written exactly, read without guessing."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protonpay.kernel.fiat import FiatAmount
from protonpay.kernel.money import MAX_MICRO, Usdc
from protonpay.locales import formats

AT = datetime(2026, 3, 14, 15, 0, tzinfo=UTC)
LANGUAGES = st.sampled_from(formats.LANGUAGES)


@pytest.mark.parametrize(
    ("micro", "english", "russian"),
    [
        (0, "0.00", "0,00"),
        (1, "0.000001", "0,000001"),
        (50_000_000, "50.00", "50,00"),
        (1_250_500_000, "1,250.50", "1\xa0250,50"),
        (-1_250_000_000, "-1,250.00", "-1\xa0250,00"),
        (MAX_MICRO, "9,223,372,036,854.775807", "9\xa0223\xa0372\xa0036\xa0854,775807"),
    ],
)
def test_usdc_is_written_to_the_last_micro(micro: int, english: str, russian: str):
    assert formats.usdc("en", Usdc(micro)) == english
    assert formats.usdc("ru", Usdc(micro)) == russian


def test_what_came_and_went_has_its_sign():
    said = [formats.signed("en", Usdc(micro)) for micro in (2_000_000, 0, -2_500_000_000)]
    assert said == ["+2.00", "0.00", "\u22122,500.00"]


@settings(deadline=None)
@given(LANGUAGES, st.integers(0, MAX_MICRO))
@example("ru", 4_815_000)
def test_what_is_written_is_read_back(language: str, micro: int):
    text = formats.usdc(language, Usdc(micro))
    if re.fullmatch(r"[1-9][0-9]{0,2},[0-9]{3}", text):
        # Four thousand to one reader, four and a bit to another: asked again, never guessed.
        with pytest.raises(ValueError, match="comma"):
            formats.read_usdc(text)
    else:
        assert formats.read_usdc(text) == Usdc(micro)


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        *(("12,5", 12_500_000), ("12.5", 12_500_000), (" 12 ", 12_000_000)),
        *(("1 250,00", 1_250_000_000), ("1\u202f250.5", 1_250_500_000)),
        *(("1,250.00", 1_250_000_000), ("1,250,000", 1_250_000_000_000), ("0,250", 250_000)),
        *(("1.250", 1_250_000), ("1 250,500", 1_250_500_000), ("12,345678", 12_345_678)),
    ],
)
def test_what_people_type_is_read(text: str, micro: int):
    assert formats.read_usdc(text) == Usdc(micro)


@pytest.mark.parametrize(
    "text",
    [
        *("1,250", "999,999", "", " ", "1,2,3", "1.250,00", "1,25.0", "-5", "+5", "1e3"),
        *("0.0000001", "٣", "1_000", "50 USDC", "0,123,456", "1,250.0000001", ",5", "5,"),
    ],
)
def test_what_could_be_two_amounts_or_none_is_refused(text: str):
    with pytest.raises(ValueError, match=r"."):
        formats.read_usdc(text)


@pytest.mark.parametrize(
    ("minor", "currency", "english", "russian"),
    [
        (451_234, "RUB", "4,512.34\xa0RUB", "4\xa0512,34\xa0₽"),
        (12_500, "KWD", "12.500\xa0KWD", "12,500\xa0KWD"),
        (5, "USD", "0.05\xa0USD", "0,05\xa0USD"),
    ],
)
def test_a_currency_has_its_own_decimals(minor: int, currency: str, english: str, russian: str):
    amount = FiatAmount(minor, currency)
    assert (formats.fiat("en", amount), formats.fiat("ru", amount)) == (english, russian)


@pytest.mark.parametrize(
    ("zone", "english", "russian"),
    [
        ("UTC", "14 Mar 2026, 15:00 UTC", "14 мар. 2026 г., 15:00 UTC"),
        ("Europe/Moscow", "14 Mar 2026, 18:00 MSK", "14 мар. 2026 г., 18:00 МСК"),
        ("Asia/Dubai", "14 Mar 2026, 19:00 UTC+4", "14 мар. 2026 г., 19:00 UTC+4"),
        ("Asia/Kolkata", "14 Mar 2026, 20:30 UTC+5:30", "14 мар. 2026 г., 20:30 UTC+5:30"),
        ("America/St_Johns", "14 Mar 2026, 12:30 UTC−2:30", "14 мар. 2026 г., 12:30 UTC−2:30"),
        ("Pacific/Kiritimati", "15 Mar 2026, 05:00 UTC+14", "15 мар. 2026 г., 05:00 UTC+14"),
    ],
)
def test_a_moment_names_its_zone(zone: str, english: str, russian: str):
    said = [formats.moment(language, AT, ZoneInfo(zone)) for language in ("en", "ru")]
    assert said == [english, russian]


def test_summer_and_winter_have_zones_of_their_own():
    berlin = ZoneInfo("Europe/Berlin")
    summer = formats.moment("en", AT.replace(month=7), berlin)
    assert (formats.moment("en", AT, berlin)[-5:], summer[-5:]) == ("UTC+1", "UTC+2")


def test_months_are_in_the_genitive():
    assert formats.day("ru", date(2026, 5, 1)) == "1 мая 2026 г."
    assert formats.day("en", date(2026, 5, 1)) == "1 May 2026"


def test_numbers():
    assert formats.number("ru", 1234567) == "1\xa0234\xa0567"
    assert formats.number("en", Decimal("1250.5")) == "1,250.5"


@pytest.mark.parametrize(
    ("form", "counts"),
    [
        ("one", [1, 21, 101, 1001]),
        ("few", [2, 3, 4, 22, 104]),
        ("many", [0, 5, 11, 12, 14, 19, 100, 111, 112, 1000]),
        ("other", [Decimal("1.5"), Decimal("0.1")]),
    ],
)
def test_russian_counts_in_four_forms(form: str, counts: list):
    assert {formats.plural_form("ru", count) for count in counts} == {form}
    assert formats.plural_form("en", counts[0]) == ("one" if counts[0] == 1 else "other")
