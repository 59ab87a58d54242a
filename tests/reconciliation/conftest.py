"""Card providers behind the real application."""

from tests.deposits.conftest import market, played, till

__all__ = ["market", "played", "till"]
