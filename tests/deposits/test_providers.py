"""GET /client/deposit/providers: the matrix of providers and currencies."""

from collections.abc import Callable, Iterator

import pytest

from protonpay.cards.registry import PROVIDERS, Settings, card_providers, currencies
from protonpay.kernel.fiat import EXPONENTS
from tests.actors import Actor
from tests.refusals import refused
from tests.unchanged import nothing_changes

PATH = "/client/deposit/providers"


@pytest.fixture
def set_up(house: object) -> Iterator[Callable[[Settings], None]]:
    """Give the process other settings, for this test only."""
    before, live = card_providers._settings, card_providers.live
    yield lambda settings: card_providers.bind(settings, live=live)
    card_providers.bind(before or {}, live=live)


def test_every_provider_is_listed_with_its_currencies(alice: Actor):
    with nothing_changes():
        providers = alice.get(PATH).get_json()["providers"]

    assert [one["provider"] for one in providers] == list(PROVIDERS)
    for one in providers:
        assert list(one) == ["provider", "configured", "hostedPage", "currencies"]
        codes = [currency["code"] for currency in one["currencies"]]
        assert codes == sorted(currencies(one["provider"]))
        for currency in one["currencies"]:
            assert currency["decimals"] == EXPONENTS[currency["code"]]
        assert one["hostedPage"] is True


def test_tap_takes_the_documents_seven(alice: Actor):
    [tap] = [one for one in alice.get(PATH).get_json()["providers"] if one["provider"] == "tap"]

    decimals = {currency["code"]: currency["decimals"] for currency in tap["currencies"]}
    two, three = ("USD", "AED", "SAR", "EGP"), ("OMR", "KWD", "BHD")
    assert decimals == dict.fromkeys(two, 2) | dict.fromkeys(three, 3)


def test_configured_is_what_a_deposit_will_meet(alice: Actor, set_up: Callable[[Settings], None]):
    assert alice.get(PATH).get_json()["providers"][0]["configured"] is True
    set_up(dict.fromkeys(PROVIDERS))

    for one in alice.get(PATH).get_json()["providers"]:
        assert one["configured"] is False
        order = {"amount": 10, "currency": one["currencies"][0]["code"], "provider": "tap"}
        order["provider"] = one["provider"]
        with nothing_changes():
            refused(alice.post("/client/deposit/card", order), 503, "provider_not_configured")


def test_nobody_asks_without_an_account(alice: Actor):
    refused(alice.client.get(f"/api{PATH}"), 401, "authentication_required")
