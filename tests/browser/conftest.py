"""One Chromium for the tests of a file; each visit is a context of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser

from protonpay.auth import factor_resets, failures
from protonpay.auth.devices import Device
from protonpay.request_log import recording
from tests.actors import Actor, make_actor
from tests.api_keys.keys import make_key
from tests.browser.driving import Visit, launched, visiting
from tests.conftest import PASSPHRASE
from tests.notifications.happenings import fail, happen, hold
from tests.wallets import pools


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; as long as it lives, nothing else of its thread can have a loop."""
    with launched() as opened:
        yield opened


@pytest.fixture
def visit(browser: Browser, house: Flask) -> Iterator[Callable[..., Visit]]:
    """Open visits, with the options of a Playwright context; they end with the test."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(visiting(browser, house, **options))


@pytest.fixture
def shop(house: Flask, keyring_path: Path) -> Actor:
    """A seller, and addresses to be paid at."""
    pools.fill(keyring_path, PASSPHRASE, 20)
    return make_actor(house, "Shop", funded="10")


@pytest.fixture
def merchant(house: Flask, keyring_path: Path, bob: Actor) -> Actor:
    """Somebody with a little of everything."""
    pools.fill(keyring_path, PASSPHRASE, 20)
    actor = make_actor(house, "Merchant", funded="1500")
    hold(actor)
    actor.post("/client/transfer", {"toIdentifier": bob.email, "amount": "12.5", "note": "Обед"})
    actor.post("/client/invoices", {"amount": "50", "description": "Monthly subscription"})
    key = make_key(actor, ["balance:read", "transfers:write"])
    key.post("/client/transfer", {"toIdentifier": bob.email, "amount": "5000"})
    key.get("/client/balance")
    recording.collect(10)
    hook = {"url": "https://example.com/hooks", "events": ["transfer.completed", "invoice.paid"]}
    fail(actor.post("/client/webhooks", hook).get_json()["webhook"]["id"])
    happen(actor, "deposit.confirmed", "payout.failed")
    factor_resets.ask(actor.id)
    for address, reason in (("203.0.113.7", failures.PASSWORD), ("", failures.CODE)):
        failures.note(actor.id, reason, Device(address, "Mozilla/5.0 Firefox/140.0"))
    return actor
