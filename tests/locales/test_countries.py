"""Countries by name: all of them in each language, in the order in which they are looked for."""

import pytest

from protonpay.locales import countries
from protonpay.locales.formats import LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_country_has_a_name_of_its_own(language: str):
    named = countries.named(language)
    assert sorted(code for code, _ in named) == sorted(countries.CODES)
    assert len({name for _, name in named}) == len(countries.CODES) == 249


def test_they_are_in_the_order_of_their_names():
    english = [code for code, _ in countries.named("en")]
    assert english[:3] == ["AF", "AX", "AL"], "marks of letters count for nothing"
    russian = [code for code, _ in countries.named("ru")]
    assert russian[0] == "AU"
    assert russian.index("RU") < russian.index("RO")
