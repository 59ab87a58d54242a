"""The settings of card providers: what would let a stranger, or a test, speak of money."""

import pytest

from config import YOOKASSA_NETWORKS, Config, ConfigError
from tests.roof.test_config import PRODUCTION, problems

ADDRESSES = ("TAP_BASE_URL", "YOOKASSA_BASE_URL", "FREEDOMPAY_BASE_URL")
LIVE = {
    "TAP_SECRET_KEY": "sk_live_of_the_merchant",
    "YOOKASSA_SHOP_ID": "506751",
    "YOOKASSA_SECRET_KEY": "live_of_the_shop",
    "FREEDOMPAY_MERCHANT_ID": "520001",
    "FREEDOMPAY_SECRET_KEY": "Vq8hXc2LpZ0rTn4s",
}
SANDBOX = {"PROTONPAY_ENV": "sandbox"}


def test_production_with_every_provider_asks_them_where_they_really_are():
    config = Config.load(PRODUCTION | LIVE)
    made_with = config.card_providers()
    assert {name: with_["base_url"] for name, with_ in made_with.items() if with_} == {
        "tap": "https://api.tap.company/v2",
        "yookassa": "https://api.yookassa.ru/v3",
        "freedompay": "https://api.freedompay.kz",
    }
    assert (made_with["yookassa"] or {})["networks"] == YOOKASSA_NETWORKS
    assert (made_with["freedompay"] or {})["testing_mode"] == "0"


def test_a_sandbox_never_asks_freedompay_for_money():
    made_with = Config.load(PRODUCTION | LIVE | SANDBOX).card_providers()
    assert (made_with["freedompay"] or {})["testing_mode"] == "1"


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST", "localhost.", "api.localhost", "127.0.0.1", "127.8.8.8"),
        *("127.1", "2130706433", "0x7f000001", "0.0.0.0", "0", "[::1]", "[::]"),
        "[::ffff:127.0.0.1]",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_production_has_no_provider_on_this_machine(name: str, host: str, scheme: str):
    told = problems(**{name: f"{scheme}://{host}:8129/v2"})
    assert f"{name} points to this machine" in told


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize("scheme", ["http", "HTTP"])
def test_production_speaks_plain_http_to_no_provider(name: str, scheme: str):
    assert f"{name} must be https" in problems(**{name: f"{scheme}://api.example.com/v2"})
    Config.load(PRODUCTION | {name: "https://api.example.com/v2"})


@pytest.mark.parametrize("name", [*ADDRESSES, "FX_RATES_URL"])
@pytest.mark.parametrize("url", ["api.tap.company", "ftp://x", "https://", "http://[::1", "//x"])
def test_an_address_that_is_none_is_told_everywhere(name: str, url: str):
    for environment in ({}, SANDBOX):
        assert f"{name} is not an address" in problems(**{name: url}, **environment)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("TAP_SECRET_KEY", "sk_test_of_the_merchant"),
        ("YOOKASSA_SECRET_KEY", "test_of_the_shop"),
        ("FREEDOMPAY_SECRET_KEY", "sandbox-0123456789abcdef"),
        ("FREEDOMPAY_SECRET_KEY", "testSecretKey01"),
        ("FREEDOMPAY_SECRET_KEY", "TEST_0123456789"),
    ],
)
def test_production_takes_no_key_of_a_test(name: str, key: str):
    told = problems(**LIVE | {name: key})
    assert f"{name} is of a test or a sandbox" in told
    assert key not in told
    Config.load(PRODUCTION | LIVE | SANDBOX | {name: key})


def test_production_does_not_ask_where_freedompay_tests():
    told = problems(FREEDOMPAY_BASE_URL="https://test-api.freedompay.kz")
    assert "FREEDOMPAY_BASE_URL is FreedomPay's for tests" in told


@pytest.mark.parametrize("networks", ["nonsense", "185.71.76.1/27", "185.71.76.0/33", "1.1.1.1;"])
def test_a_network_that_is_none_is_told_everywhere(networks: str):
    for environment in ({}, SANDBOX):
        told = problems(YOOKASSA_NETWORKS=f"185.71.76.0/27 {networks}", **environment)
        assert f"YOOKASSA_NETWORKS: '{networks}' is not a network" in told


def test_no_network_at_all_is_told_and_no_setting_is_the_published_list():
    assert "YOOKASSA_NETWORKS names no network" in problems(YOOKASSA_NETWORKS=" ")
    assert Config.load(PRODUCTION | {"YOOKASSA_NETWORKS": ""}).yookassa_networks == (
        YOOKASSA_NETWORKS
    )


@pytest.mark.parametrize(
    "network",
    [
        *("127.0.0.1/32", "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.1.0/24"),
        *("169.254.169.254", "100.64.0.0/10", "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1"),
        *("::1/128", "::/0", "fc00::/7", "fe80::/10", "::ffff:127.0.0.0/104", "2000::/3"),
    ],
)
def test_production_lets_in_nobody_beside_us_and_not_everybody(network: str):
    told = problems(YOOKASSA_NETWORKS=f"{YOOKASSA_NETWORKS} {network}")
    assert f"YOOKASSA_NETWORKS lets in {network}" in told
    assert told.count(";") == 0, "the published ones are all right"
    assert not Config.load(PRODUCTION | SANDBOX | {"YOOKASSA_NETWORKS": network}).production


def test_a_list_of_ones_own_is_taken_as_it_is():
    networks = "185.71.76.0/27 2a02:5180:0:1509::/64"
    config = Config.load(PRODUCTION | LIVE | {"YOOKASSA_NETWORKS": networks})
    assert (config.card_providers()["yookassa"] or {})["networks"] == networks


def test_nothing_of_this_stops_a_sandbox():
    near = dict.fromkeys(ADDRESSES, "http://127.0.0.1:8129")
    assert not Config.load(PRODUCTION | SANDBOX | near).production
    with pytest.raises(ConfigError):
        Config.load(PRODUCTION | near)
