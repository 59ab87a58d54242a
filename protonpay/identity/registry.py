"""The identity providers, as data, and the only way to an adapter.

A new provider is one file and one line of ``PROVIDERS``: docs/adding-an-identity-provider.md.
"""

import importlib
from collections.abc import Mapping
from typing import cast

from protonpay.identity.port import IdentityProvider
from protonpay.kernel.errors import Unavailable

MANUAL = "manual"
PROVIDERS: Mapping[str, str] = {
    MANUAL: "protonpay.identity.manual:ManualReview",
}

Settings = Mapping[str, str]
"""What an adapter is made with, by the names of its arguments."""


class IdentityProviders:
    """The provider that new cases go to, bound by create_app.

    Attributes:
        chosen: its name.
    """

    def __init__(self) -> None:
        self.chosen = MANUAL
        self._made: dict[str, IdentityProvider] = {}
        self._settings: Mapping[str, Settings] = {}

    def bind(self, chosen: str, settings: Mapping[str, Settings]) -> None:
        """Set who is asked from now on, and what adapters are made with.

        Args:
            chosen: the provider of new cases.
            settings: of every provider that has some. One that had cases before it was changed for
                another is asked about those as long as its settings stand here.

        Raises:
            LookupError: there is no such provider.
        """
        if chosen not in PROVIDERS:
            raise LookupError(f"no identity provider {chosen}")
        self.chosen, self._settings, self._made = chosen, settings, {}

    def get(self, name: str) -> IdentityProvider:
        """Return the adapter of a provider.

        Raises:
            Unavailable: it is not set up here (``provider_not_configured``).
        """
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._make(name)
        return made

    def _make(self, name: str) -> IdentityProvider:
        known = name in PROVIDERS and (name == MANUAL or name in self._settings)
        if not known:
            raise Unavailable("provider_not_configured", "This provider is not set up here.")
        module, _, attribute = PROVIDERS[name].partition(":")
        adapter = getattr(importlib.import_module(module), attribute)
        return cast("IdentityProvider", adapter(**self._settings.get(name, {})))


identity_providers = IdentityProviders()
