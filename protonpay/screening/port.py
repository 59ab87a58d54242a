"""What every source of listed addresses can say."""

from typing import Protocol


class Screen(Protocol):
    """One source. It answers from what it has at hand; nobody waits for it."""

    is_stale: bool
    """Whether what it knows is older than it should be."""

    def hit(self, family: str, address: str) -> str | None:
        """Return why an address is listed, in words for operators only, or None.

        Args:
            family: of networks (``evm``, ``solana``): an address is the same on all of it.
            address: as the chain or a client writes it.
        """
