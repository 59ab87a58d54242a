"""The registry: providers as data, each refusal with its code, each adapter made once."""

import pytest

from protonpay.cards import registry
from protonpay.cards.registry import PROVIDERS, CardProviders
from protonpay.cards.tap import Tap
from protonpay.kernel.errors import Invalid, Unavailable
from protonpay.kernel.fiat import EXPONENTS

SETTINGS = {"tap": {"base_url": "http://127.0.0.1:1/v2", "secret_key": "sk_test_x"}}


@pytest.fixture
def providers() -> CardProviders:
    providers = CardProviders()
    providers.bind(SETTINGS, live=False)
    return providers


def test_an_adapter_is_made_once_with_its_settings(providers):
    tap = providers.get("tap")
    assert isinstance(tap, Tap)
    assert providers.get("tap", "KWD") is tap
    providers.bind(SETTINGS, live=False)
    assert providers.get("tap") is not tap


@pytest.mark.parametrize("name", ["stripe", "TAP ", "Tap", "", "__proto__", "../tap", "tap:Tap"])
def test_an_unknown_provider_is_invalid(providers, name):
    for call in (providers.get, registry.currencies):
        with pytest.raises(Invalid) as caught:
            call(name)
        assert caught.value.code == "unsupported_provider"


@pytest.mark.parametrize("currency", ["RUB", "EUR", "usd", "", "XYZ"])
def test_a_currency_the_provider_does_not_take_is_invalid(providers, currency):
    with pytest.raises(Invalid) as caught:
        providers.get("tap", currency)
    assert caught.value.code == "unsupported_currency"


@pytest.mark.parametrize("settings", [{}, {"tap": None}])
def test_a_provider_without_credentials_is_unavailable(settings):
    providers = CardProviders()
    providers.bind(settings, live=True)
    with pytest.raises(Unavailable) as caught:
        providers.get("tap", "USD")
    assert caught.value.code == "provider_not_configured"


def test_a_wrong_currency_is_invalid_whether_the_provider_is_set_up_or_not():
    providers = CardProviders()
    providers.bind({}, live=True)
    with pytest.raises(Invalid):
        providers.get("tap", "RUB")


def test_another_provider_is_one_line(monkeypatch):
    monkeypatch.setitem(registry.PROVIDERS, "another", "protonpay.cards.tap:Tap")
    providers = CardProviders()
    providers.bind({"another": SETTINGS["tap"]}, live=False)
    assert isinstance(providers.get("another", "KWD"), Tap)


def test_a_process_that_was_not_bound_is_a_bug():
    with pytest.raises(RuntimeError):
        CardProviders().get("tap")


def test_real_money_is_expected_until_said_otherwise():
    assert CardProviders().live is True


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_s_class_agrees_with_its_line_and_takes_currencies_we_know(name):
    module, _, attribute = PROVIDERS[name].partition(":")
    assert module == f"protonpay.cards.{name}"
    assert attribute
    assert registry.currencies(name)
    assert registry.currencies(name) <= set(EXPONENTS)
