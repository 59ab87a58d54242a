"""Addresses of ours that we give to others: pay pages, returns, callbacks."""


class Links:
    """The public base address of this installation, bound by create_app."""

    def __init__(self) -> None:
        self._base = ""

    def bind(self, public_url: str) -> None:
        """Set the base (``PUBLIC_URL``), without a trailing slash."""
        self._base = public_url

    def to(self, path: str) -> str:
        """Return the absolute address of a path that begins with a slash."""
        return self._base + path


links = Links()
