"""Card deposits ordered under an Idempotency-Key, and what is left of each afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from protonpay.cards.registry import currencies
from protonpay.deposits import ordering
from protonpay.deposits.models import Deposit
from protonpay.store.db import db
from tests.actors import Actor
from tests.simulators import Simulator

PATIENCE = 0.5
"""How long a provider is waited for, in seconds."""


@dataclass
class Seller:
    """A provider, and an order that it takes."""

    name: str
    simulator: Simulator

    @property
    def order(self) -> dict[str, Any]:
        currency = min(currencies(self.name)).lower()
        return {"amount": 100, "currency": currency, "provider": self.name}

    def pay(self, actor: Actor, key: str = "k-1", **changes: Any) -> TestResponse:
        headers = {"Idempotency-Key": key}
        return actor.post("/client/deposit/card", {**self.order, **changes}, headers=headers)

    def pull(self, lever: str, **body: Any) -> None:
        self.simulator.pull(lever, **body)

    def look(self, at: str) -> Any:
        return self.simulator.look(at)

    def sessions_of(self, deposit: Deposit) -> list[Any]:
        """Return the provider's sessions that belong to a deposit."""
        return [one for one in self.look("payments") if deposit.id in str(one)]


def deposits(actor: Actor) -> list[Deposit]:
    db.session.rollback()
    mine = db.session.query(Deposit).filter_by(user_id=actor.id).order_by(Deposit.id)
    return mine.populate_existing().all()


def key_row() -> Any:
    db.session.rollback()
    columns = "state, lock_token, locked_until, resource_id, status FROM idempotency_keys"
    return db.session.execute(text(f"SELECT {columns}")).one_or_none()


def is_replay(answer: TestResponse, first: TestResponse) -> bool:
    if "Idempotent-Replayed" not in answer.headers:
        return False
    assert answer.headers["X-Original-Request-Id"] == first.headers["X-Request-Id"]
    assert answer.get_data() == first.get_data()
    return True


def instead(monkeypatch: pytest.MonkeyPatch, act: Callable[[Callable[[], Any]], Any]) -> None:
    """Stand around the next call of the provider, and only that one."""
    ask = ordering._ask_for_page

    def between(*arguments: Any) -> Any:
        monkeypatch.setattr(ordering, "_ask_for_page", ask)
        return act(lambda: ask(*arguments))

    monkeypatch.setattr(ordering, "_ask_for_page", between)


def let_pass(*, seconds: int) -> None:
    """Let the time of whoever holds a key pass."""
    earlier = "UPDATE idempotency_keys SET locked_until = locked_until - make_interval(secs => :s)"
    with db.engine.begin() as connection:
        connection.execute(text(earlier), {"s": seconds})
