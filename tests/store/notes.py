"""Notes in a table of a test's own (``seen``)."""

from collections.abc import Callable
from typing import Any

from protonpay.store import db
from protonpay.store.db import transaction


def note(n: int) -> None:
    db.execute("INSERT INTO notes VALUES (%(n)s)", {"n": n})


def note_in_a_transaction(*numbers: int, then: Callable[[], Any] = lambda: None) -> None:
    with transaction():
        for n in numbers:
            note(n)
        then()


def stumble() -> None:
    raise LookupError
