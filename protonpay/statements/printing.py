"""A statement on paper: the press, which says TEST where there is no real money."""

from importlib import import_module
from typing import cast

from protonpay.statements.service import Whole

MOST_LINES = 1_000
"""Of a statement that is printed: a second's work of a thread, and forty pages."""


class Press:
    """Prints statements; bound by create_app."""

    def __init__(self) -> None:
        self._test = True

    def bind(self, *, test: bool) -> None:
        """Set whether all that is printed is a test."""
        self._test = test

    def pdf(self, whole: Whole) -> bytes:
        """Return a statement as a PDF document, in the language of its holder."""
        # Loaded when it is used: it costs half a second, and most processes print nothing.
        paper = import_module("protonpay.statements.paper")
        return cast("bytes", paper.write(whole, test=self._test))


press = Press()
