"""Which API keys a route lets in: each client route says so where it is declared."""

from collections.abc import Collection
from dataclasses import dataclass

from protonpay.kernel.scopes import FULL, Scope

Security = list[dict[str, list[str]]]

SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token: 15 minutes, of one session.",
    },
    "apiKey": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "sk_live_…",
        "description": "An API key that holds the listed scopes, or `full`.",
    },
}
"""How the OpenAPI document names the two credentials; both are sent as a bearer."""


@dataclass(frozen=True, slots=True)
class Access:
    """Sets of scopes; a key that holds all of any one of them comes in."""

    alternatives: tuple[frozenset[Scope], ...]

    def lets_in(self, permissions: Collection[str]) -> bool:
        """Tell whether a key with these permissions may."""
        if FULL in permissions:
            return bool(self.alternatives)
        return any(wanted.issubset(permissions) for wanted in self.alternatives)

    def wanted(self) -> str:
        """Name the scopes that let a key in: ``a + b | c``; empty if none does."""
        return " | ".join(" + ".join(sorted(each)) for each in self.alternatives)

    def as_security(self) -> Security:
        """Describe a client route in the OpenAPI document: a token, or such a key."""
        keys = [{"apiKey": sorted(map(str, each))} for each in self.alternatives]
        return [{"bearer": []}, *keys]


NO_KEY = Access(())
"""Signed-in people only: keys, passwords, sessions, a second factor."""
ANY_KEY = Access((frozenset(),))
"""What every key may know."""


def needs(*scopes: Scope) -> Access:
    """Let in a key that holds all of these."""
    return Access((frozenset(scopes),))


def either(*scopes: Scope) -> Access:
    """Let in a key that holds any of these."""
    return Access(tuple(frozenset({scope}) for scope in scopes))
