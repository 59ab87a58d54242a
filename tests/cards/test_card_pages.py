"""A payer's browser goes to the provider's own pages and nowhere else."""

import pytest

from protonpay.cards.pages import page_url
from protonpay.wire.http import NoAnswer

API = "https://api.tap.company/v2"


@pytest.mark.checklist(65)
@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        (API, "https://checkout.tap.company/pay/chg_1"),
        (API, "https://tap.company/?mode=page&token=6%2F"),
        (API, "https://api.tap.company/v2/x"),
        (API, "https://a.b.tap.company:443/x#y"),
        ("http://127.0.0.1:9300/v2", "http://127.0.0.1:9300/pay/chg_1"),
    ],
)
def test_the_provider_s_own_page_is_taken_as_it_is(base_url, url):
    assert page_url(url, base_url=base_url, site="tap.company") == url


@pytest.mark.checklist(65)
@pytest.mark.parametrize(
    "url",
    [
        None,
        7,
        "",
        ["https://checkout.tap.company/"],
        "checkout.tap.company/pay",
        "//checkout.tap.company/pay",
        "http://checkout.tap.company/pay",
        "javascript:alert(1)//checkout.tap.company",
        "https://evil.test/pay",
        "https://tap.company.evil.test/pay",
        "https://eviltap.company/pay",
        "https://checkout.tap.company@evil.test/",
        "https://evil.test\\@checkout.tap.company/",
        "https://evil.test#@checkout.tap.company/",
        "https://evil.test?.tap.company/",
        "https://checkout.tap.company/\r\nSet-Cookie: a=b",
        "https://checkout.tap.company/pay me",
        " https://checkout.tap.company/",
        "https://checkout.tap.company/" + "x" * 8000,
        "https://чекаут.tap.company/",
        "https://[::1",
        "https://",
    ],
)
def test_any_other_address_is_no_answer(url):
    with pytest.raises(NoAnswer):
        page_url(url, base_url=API, site="tap.company")
