"""The screen of this process, bound by create_app."""

from protonpay.screening.port import Screen


class Screening:
    """Who is asked; without a screen nobody is listed."""

    def __init__(self) -> None:
        self._screen: Screen | None = None

    def bind(self, screen: Screen | None) -> None:
        """Set who knows the listed addresses."""
        self._screen = screen

    def hit(self, family: str, address: str | None) -> str | None:
        """Return why an address is listed, or None; of an address that is not known, too."""
        if self._screen is None or address is None:
            return None
        return self._screen.hit(family, address)

    def is_stale(self) -> bool:
        """Tell whether the newest list could not be read and an older one is in use."""
        return self._screen is not None and self._screen.is_stale


screening = Screening()
