"""Rates of a test's own."""

from tests.web.conftest import rates

__all__ = ["rates"]
