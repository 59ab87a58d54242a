"""Each card provider and who plays its other side: the one place a new one is added to.

What the contract asks of every simulator: ``python -m <module> --listen H:P``, the levers of
``protonpay.sandbox.cards``, and a page whose form posts ``outcome``. Of every adapter: the
two patiences ``create_seconds`` and ``read_seconds`` beside its settings.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from protonpay.cards.port import CallbackRequest, CardProvider
from protonpay.cards.registry import PROVIDERS


@dataclass(frozen=True)
class Played:
    """How a provider is played.

    Attributes:
        module: the simulator.
        options: its command line, beside ``--listen``.
        settings: what the adapter is made with, given the simulator's address.
        strangers: settings of another merchant, who must not be able to speak for us.
        unknown_ref: the reference of a payment that the provider never made.
        signed: whether callbacks carry a signature; without one they are only a reason to ask.
        callback_address: where the provider's callbacks come from.
        in_its_pages: whom it calls is set in the provider's own pages, not per payment.
    """

    module: str
    options: tuple[str, ...]
    settings: Callable[[str], Mapping[str, str]]
    strangers: Callable[[str], Mapping[str, str]]
    unknown_ref: str
    signed: bool = True
    callback_address: str = "127.0.0.1"
    in_its_pages: bool = False

    def adapter(self, name: str, settings: Mapping[str, str], **patience: float) -> CardProvider:
        module, _, attribute = PROVIDERS[name].partition(":")
        made: Any = getattr(importlib.import_module(module), attribute)
        provider: CardProvider = made(**settings, **patience)
        return provider

    def arriving(self, callback: CallbackRequest) -> CallbackRequest:
        return replace(callback, remote_addr=self.callback_address)


_TAP_KEY = "sk_test_PROTONPAYcontract"
_YOOKASSA_KEY = "test_PROTONPAYcontract"


_FREEDOMPAY_KEY = "PROTONPAYcontract"


def _freedompay(url: str, key: str) -> Mapping[str, str]:
    return {"base_url": url, "merchant_id": "500001", "secret_key": key, "testing_mode": "1"}


def _yookassa(url: str, key: str) -> Mapping[str, str]:
    shop = {"shop_id": "100500", "secret_key": key, "networks": "198.51.100.0/24"}
    return {"base_url": f"{url}/v3", **shop}


PLAYED: Mapping[str, Played] = {
    "tap": Played(
        module="protonpay.sandbox.tap",
        options=("--secret-key", _TAP_KEY),
        settings=lambda url: {"base_url": f"{url}/v2", "secret_key": _TAP_KEY},
        strangers=lambda url: {"base_url": f"{url}/v2", "secret_key": "sk_test_another"},
        unknown_ref="chg_TS00000000000000000000000",
    ),
    "yookassa": Played(
        module="protonpay.sandbox.yookassa",
        options=("--secret-key", _YOOKASSA_KEY),
        settings=lambda url: _yookassa(url, _YOOKASSA_KEY),
        strangers=lambda url: _yookassa(url, "test_another"),
        unknown_ref="00000000-000f-5000-8000-000000000000",
        signed=False,
        callback_address="198.51.100.7",
        in_its_pages=True,
    ),
    "freedompay": Played(
        module="protonpay.sandbox.freedompay",
        options=("--secret-key", _FREEDOMPAY_KEY),
        settings=lambda url: _freedompay(url, _FREEDOMPAY_KEY),
        strangers=lambda url: _freedompay(url, "another"),
        unknown_ref="1234567890",
    ),
}
