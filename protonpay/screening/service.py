"""The screen of this process, bound by create_app."""

from protonpay.screening.port import Screen


class Screening:
    """Who is asked; without a screen nobody is listed."""

    def __init__(self) -> None:
        self._screen: Screen | None = None

    def bind(self, screen: Screen | None) -> None:
        """Set who knows the listed addresses."""
        self._screen = screen

    def hit(self, family: str, *addresses: str | None) -> str | None:
        """Return why one of these addresses is listed, or None; one that is not known is not."""
        if self._screen is None:
            return None
        whys = [self._screen.hit(family, one) for one in addresses if one is not None]
        return next((why for why in whys if why is not None), None)

    def is_stale(self) -> bool:
        """Tell whether the newest list could not be read and an older one is in use."""
        return self._screen is not None and self._screen.is_stale


screening = Screening()
