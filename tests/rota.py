"""Who runs what when several processes share the tests.

A process that has been given one test of a file gets all of them, for what a file sets up is set up
once; what needs the running city is one piece, for a city takes its time and every core. Pieces
that take long come first, or everybody else would wait for the last of them.
"""

import pytest
from typing_extensions import override
from xdist.scheduler import LoadScopeScheduling

CITY = "tests/flows/"


class ByFile(LoadScopeScheduling):
    """Hand out files, and the city as if it were one."""

    @override
    def _split_scope(self, nodeid: str) -> str:
        return CITY if nodeid.startswith(CITY) else nodeid.partition("::")[0]


def longest_first(items: list[pytest.Item]) -> None:
    """Bring the tests into the order in which they are handed out."""
    items.sort(
        key=lambda item: (
            not item.nodeid.startswith(CITY),
            item.get_closest_marker("slow") is None,
        )
    )
