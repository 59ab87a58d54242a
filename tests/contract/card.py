"""A card provider under test, both sides of the wire, and marks that name the providers."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest
import requests

from protonpay.cards.port import (
    CallbackRequest,
    CardPayment,
    CardProvider,
    CardSession,
    SessionRequest,
)
from protonpay.cards.registry import PROVIDERS
from protonpay.kernel import ids
from protonpay.kernel.fiat import FiatAmount
from tests.contract.card_simulators import PLAYED, Played
from tests.simulators import PATIENCE, Receiver, Simulator


def _of(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("running_simulator", names, indirect=True)


EACH = _of(*PROVIDERS)
SIGNED = _of(*(name for name in PROVIDERS if PLAYED[name].signed))
UNSIGNED = _of(*(name for name in PROVIDERS if not PLAYED[name].signed))


@dataclass
class Card:
    """A provider under test: both sides of the wire, and our front door."""

    name: str
    played: Played
    simulator: Simulator
    receiver: Receiver

    @cached_property
    def adapter(self) -> CardProvider:
        return self.made()

    def made(self, **patience: float) -> CardProvider:
        settings = self.played.settings(self.simulator.url)
        return self.played.adapter(self.name, settings, **patience)

    def stranger(self) -> CardProvider:
        return self.played.adapter(self.name, self.played.strangers(self.simulator.url))

    def request(self, text: str | None = None, currency: str | None = None) -> SessionRequest:
        reference = ids.new_id()
        currency = currency or min(self.adapter.currencies)
        callback_url = f"{self.receiver.url}/callbacks/{reference}"
        if self.played.in_its_pages:
            self.simulator.pull("notifications", url=callback_url)
        return SessionRequest(
            reference=reference,
            amount=FiatAmount.parse(text or "120.50", currency),
            description=f"Proton Pay deposit {reference}",
            customer_name="Ann Example",
            customer_email="ann@example.com",
            return_url=f"http://127.0.0.1:1/deposits/{reference}?lang=en",
            callback_url=callback_url,
        )

    def open(self, **script: Any) -> tuple[SessionRequest, CardSession]:
        if script:
            self.simulator.pull("script", **script)
        request = self.request()
        return request, self.adapter.create_session(request)

    def callbacks(self, request: SessionRequest, count: int = 1) -> list[CallbackRequest]:
        arrived = self.receiver.wait_for(count, f"/callbacks/{request.reference}")
        return [self.played.arriving(callback) for callback in arrived]

    def sent(self, session: CardSession) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.simulator.look("callbacks", payment=session.provider_ref)
        return found

    def fetch(self, session: CardSession) -> CardPayment:
        return self.adapter.fetch_payment(session.provider_ref)


def press(session: CardSession, outcome: str) -> requests.Response:
    form = {"outcome": outcome}
    return requests.post(session.url, data=form, allow_redirects=False, timeout=PATIENCE)


def word_for(card: Card, outcome: str) -> str:
    """Return the provider's own word for an outcome, as its callbacks say it."""
    words: dict[str, str] = card.simulator.look("words")
    return words[outcome]


NONSENSE = [
    b"",
    b"null",
    b"[]",
    b"7",
    b'"text"',
    b"{}",
    b"\x00\xff\xfe",
    b"a=b&c=d",
    b"<response/>",
    b"{" * 100_000,
    b"[" * 1_000_000,
    b'{"id": "' + b"x" * 1_000_000 + b'"}',
    b'{"id": null, "amount": null, "object": null}',
    b'{"id": ["chg_1"], "object": [[]], "event": {}}',
    b'{"id": "chg_1", "amount": NaN, "currency": "KWD"}',
    b'{"id": "chg_1", "amount": 1E+999999999, "currency": "KWD"}',
    b'{"id": "chg_1", "amount": true, "currency": ["KWD"]}',
    b'{"id": "chg_1", "status": "\\ud800", "amount": 1, "currency": "KWD"}',
]
