"""The card providers, as data, and the only way to an adapter.

A new provider is one file and one line of ``PROVIDERS``. Its class says its name, which
currencies it takes, and what it needs to be made: the members of its settings.
"""

import importlib
from collections.abc import Mapping
from typing import cast

from protonpay.cards.port import CardProvider
from protonpay.kernel.errors import Invalid, Unavailable

PROVIDERS: Mapping[str, str] = {
    "tap": "protonpay.cards.tap:Tap",
    "yookassa": "protonpay.cards.yookassa:YooKassa",
    "freedompay": "protonpay.cards.freedompay:FreedomPay",
}

Settings = Mapping[str, Mapping[str, str] | None]
"""Provider → what its adapter is made with (``base_url``, keys), or None: not set up."""


def currencies(name: str) -> frozenset[str]:
    """Return the currencies a provider takes, set up or not.

    Raises:
        Invalid: there is no such provider (``unsupported_provider``).
    """
    return _adapter(name).currencies


class CardProviders:
    """The adapters of one process, each made on first use.

    Attributes:
        live: whether payments must be of real money; the other kind is never credited.
    """

    def __init__(self) -> None:
        self.live = True
        self._settings: Settings | None = None
        self._made: dict[str, CardProvider] = {}

    def bind(self, settings: Settings, *, live: bool) -> None:
        """Give the process its settings; forgets adapters made before."""
        self.live = live
        self._settings = settings
        self._made = {}

    def get(self, name: str, currency: str | None = None) -> CardProvider:
        """Return the adapter of a provider.

        Args:
            name: as the API document spells it.
            currency: what is about to be paid in, for a new payment.

        Raises:
            Invalid: there is no such provider (``unsupported_provider``), or it does not
                take the currency (``unsupported_currency``).
            Unavailable: it is not set up here (``provider_not_configured``).
        """
        if currency is not None and currency not in currencies(name):
            taken = ", ".join(sorted(currencies(name)))
            said = "This provider takes {currencies}."
            raise Invalid("unsupported_currency", said, currencies=taken)
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._make(name)
        return made

    def is_set_up(self, name: str) -> bool:
        """Tell whether a provider has what its adapter is made with; without it, it is 503."""
        return self._bound().get(name) is not None

    def _make(self, name: str) -> CardProvider:
        adapter, settings = _adapter(name), self._bound().get(name)
        if settings is None:
            raise Unavailable("provider_not_configured", "This provider is not set up here.")
        return adapter(**settings)

    def _bound(self) -> Settings:
        if self._settings is None:
            raise RuntimeError("card providers are bound by create_app")
        return self._settings


def _adapter(name: str) -> type[CardProvider]:
    if name not in PROVIDERS:
        raise Invalid(
            "unsupported_provider", "Choose one of: {providers}.", providers=", ".join(PROVIDERS)
        )
    module, _, attribute = PROVIDERS[name].partition(":")
    return cast("type[CardProvider]", getattr(importlib.import_module(module), attribute))


card_providers = CardProviders()
