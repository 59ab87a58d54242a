"""Card deposits as clients order them, and both sides of what follows."""

from dataclasses import dataclass
from typing import Any

import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from protonpay.cards import registry
from protonpay.deposits import settling
from protonpay.deposits.models import Deposit
from protonpay.store.db import db
from tests.actors import Actor
from tests.contract.card_simulators import PLAYED
from tests.simulators import PATIENCE, Receiver, Simulator


@dataclass
class Till:
    """A provider in use."""

    name: str
    simulator: Simulator
    receiver: Receiver
    market: Simulator
    door: FlaskClient

    @property
    def currency(self) -> str:
        return min(registry.currencies(self.name))

    @property
    def callbacks(self) -> str:
        return f"/api/callbacks/{self.name}"

    def order(self, actor: Actor, amount: Any = "120.50", **changes: Any) -> TestResponse:
        order = {"amount": amount, "currency": self.currency.lower(), "provider": self.name}
        return actor.post("/client/deposit/card", order | changes)

    def opened(self, actor: Actor, amount: Any = "120.50", **script: Any) -> Deposit:
        self.simulator.pull("script", **{"drop": True, **script})
        answer = self.order(actor, amount)
        assert answer.status_code == 200, answer.get_json()
        return stored(answer.get_json()["deposit"]["id"])

    def paid(self, actor: Actor, amount: Any = "120.50", **script: Any) -> Deposit:
        """Open a page and pay there; nobody has told us yet."""
        deposit = self.opened(actor, amount, **script)
        self.press(deposit, "paid")
        return deposit

    def credited(self, actor: Actor, amount: Any = "120.50") -> Deposit:
        deposit = self.paid(actor, amount)
        self.ask(deposit)
        return stored(deposit.id)

    def press(self, deposit: Deposit, outcome: str) -> None:
        form = {"outcome": outcome}
        answer = requests.post(deposit.page_url, data=form, allow_redirects=False, timeout=PATIENCE)
        assert answer.status_code == 303

    def pull(self, deposit: Deposit, lever: str, **body: Any) -> None:
        self.simulator.pull(f"payments/{deposit.provider_ref}/{lever}", **body)

    def ask(self, deposit: Deposit) -> Any:
        later = settling.ask_about(self.name, str(deposit.provider_ref))
        db.session.expire_all()
        return later

    def told(self, count: int = 1) -> list[Any]:
        """Return the callbacks that arrived at our door."""
        arrived = self.receiver.wait_for(count, self.callbacks)
        return [PLAYED[self.name].arriving(callback) for callback in arrived]

    def deliver(self, callback: Any, **changes: Any) -> TestResponse:
        """Hand a callback to the application, as it came or changed."""
        sent = {
            "data": callback.body,
            "headers": callback.headers,
            "environ_overrides": {"REMOTE_ADDR": callback.remote_addr},
        }
        return self.door.post(self.callbacks, **{**sent, **changes})


def stored(deposit_id: str) -> Deposit:
    """Return a deposit as the database has it now."""
    return db.session.get_one(Deposit, deposit_id, populate_existing=True)
