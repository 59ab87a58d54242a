"""A commit that is done, and whoever waits for it does not hear of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from unittest.mock import patch

from protonpay.kernel.errors import Unavailable
from protonpay.store.db import transaction

LOST = Unavailable("outcome_unknown", "The answer was lost.")


@contextmanager
def commits_unheard(of: ModuleType) -> Iterator[None]:
    """Lose the answer to every commit of a module, for as long as the block lasts."""

    @contextmanager
    def lost() -> Iterator[Any]:
        with transaction() as session:
            yield session
        raise LOST

    with patch.object(of, "transaction", lost):
        yield
