"""Card pages of invoices: a Tap that is set up here, its payer, and what is told of it."""

from collections.abc import Iterator

import pytest
import requests
from flask import Flask
from sqlalchemy import select

from protonpay.cards.registry import card_providers
from protonpay.deposits import settling
from protonpay.deposits.models import Deposit
from protonpay.deposits.ordering import Destinations
from protonpay.invoices import cards
from protonpay.invoices.models import InvoiceCard
from protonpay.store.db import db
from protonpay.store.outbox import OutboxRow
from tests.contract.card_simulators import PLAYED
from tests.invoices.asking import Asked
from tests.simulators import PATIENCE, Simulator, running

TO = Destinations("http://127.0.0.1:9/pay/{id}", "http://127.0.0.1:9/api/callbacks/tap")


@pytest.fixture(scope="session")
def tap_simulator() -> Iterator[Simulator]:
    """A Tap of this file's own."""
    by = PLAYED["tap"]
    with running(by.module, *by.options) as simulator:
        yield simulator


@pytest.fixture
def tap(house: Flask, tap_simulator: Simulator) -> Iterator[Simulator]:
    """Tap, set up here; it calls nobody."""
    before = card_providers._settings
    assert before is not None
    made_with = dict(PLAYED["tap"].settings(tap_simulator.url))
    card_providers.bind({**before, "tap": made_with}, live=False)
    tap_simulator.pull("script", drop=True)
    yield tap_simulator
    tap_simulator.forget_faults()
    card_providers.bind(before, live=False)


def open_page(made: Asked, currency: str = "USD") -> InvoiceCard:
    return cards.open_page(
        made.id, provider="tap", currency=currency, email="payer@example.com", to=TO
    )


def press(page: InvoiceCard, outcome: str) -> None:
    assert page.page_url is not None
    form = {"outcome": outcome}
    answer = requests.post(page.page_url, data=form, allow_redirects=False, timeout=PATIENCE)
    assert answer.status_code == 303


def deposit_of(page: InvoiceCard) -> Deposit:
    return db.session.get_one(Deposit, page.deposit_id, populate_existing=True)


def asked(page: InvoiceCard) -> None:
    """Let the provider be asked, and who follows the invoice be told."""
    settling.ask_about("tap", str(deposit_of(page).provider_ref))
    assert _told(page) > 0
    cards.follow(page.deposit_id)


def _told(page: InvoiceCard) -> int:
    rows = db.session.scalars(select(OutboxRow).filter_by(job="invoices.follow_card")).all()
    return len([row for row in rows if row.args == {"deposit_id": page.deposit_id}])


def state_of(page: InvoiceCard) -> str:
    return db.session.get_one(InvoiceCard, page.deposit_id, populate_existing=True).state
