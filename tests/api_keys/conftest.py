"""Rates of a test's own, and stores that are away."""

from tests.web.conftest import database_away, rates, redis_away

__all__ = ["database_away", "rates", "redis_away"]
