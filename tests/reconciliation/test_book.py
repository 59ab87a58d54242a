"""The book beside itself: a balance that somebody has written, an invariant that is broken."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from protonpay.cards.registry import card_providers
from protonpay.chains.registry import NETWORKS
from protonpay.kernel import clock
from protonpay.ledger import chart
from protonpay.rails import service as rails
from protonpay.reconciliation import service as reconciliation
from protonpay.store.db import db
from tests.actors import make_actor
from tests.committed import OpenHouse
from tests.contract.card_simulators import PLAYED
from tests.simulators import Simulator, running

SOON = timedelta(seconds=15)
EVERY = ["ledger", "tap", *NETWORKS]
_WRITE = (
    "UPDATE ledger_balances SET micro = micro + %s WHERE account_id ="
    " (SELECT id FROM ledger_accounts WHERE address = %s)"
)


def look(times: int) -> dict[str, str]:
    """Compare the book and a provider so many times, a while apart."""
    for count in range(times):
        with clock.frozen(clock.now() + count * SOON):
            lines = [reconciliation.reconcile(rail) for rail in ("ledger", "tap")]
    return {line.rail: line.state for line in lines}


def cases() -> list[tuple[str, str, str, str]]:
    db.session.rollback()
    return [
        (case.state, case.rail, case.kind, case.subject) for case in reconciliation.open_cases()
    ]


def paused() -> list[str]:
    return [rail for rail in EVERY if rails.paused(rail)]


SOUND = {"ledger": "ok", "tap": "ok"}


@pytest.fixture(scope="module")
def tap() -> Iterator[Simulator]:
    with running(PLAYED["tap"].module, *PLAYED["tap"].options) as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def _an_account_without_payments(app: Flask, tap: Simulator) -> Iterator[None]:
    """Tap answers: it has no payment of ours, and says so."""
    before = card_providers._settings or {}
    card_providers.bind({**before, "tap": dict(PLAYED["tap"].settings(tap.url))}, live=False)
    yield
    card_providers.bind(before, live=False)


@pytest.mark.parametrize("account", ["user", chart.FEES, chart.suspense("Base"), "clearing:tap"])
def test_a_written_balance_is_one_case(open_house: OpenHouse, account: str):
    alice = make_actor(open_house.app, "Alice", funded="10")
    address = chart.available(alice.id) if account == "user" else account
    rail = "tap" if address == "clearing:tap" else "ledger"
    assert look(1) == SOUND

    with open_house.superuser() as above:
        above.execute(_WRITE, (1, address))
    assert look(1)[rail] == "seen"
    assert paused() == []
    look(2)
    assert cases() == [("OPEN", rail, "balance_tampered", address)]
    assert paused() == (["tap"] if rail == "tap" else list(NETWORKS))

    with open_house.superuser() as above:
        above.execute(_WRITE, (-1, address))
    assert look(1) == SOUND
    assert (cases(), paused() != []) == ([], True)


def test_a_broken_invariant_is_one_case(open_house: OpenHouse):
    with open_house.superuser() as above:
        above.execute("INSERT INTO journal_entries (reference, kind) VALUES ('empty', 'gift')")
    look(2)
    assert cases() == [("OPEN", "ledger", "book_broken", "every entry has postings")]
    assert paused() == list(NETWORKS)
