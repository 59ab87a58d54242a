"""Wherever a sweep stands, the book and the chain are equal to the last micro-USDC."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.ledger import chart, entries
from protonpay.ledger import service as ledger
from protonpay.reconciliation import service as reconciliation
from protonpay.reconciliation.service import Line
from protonpay.store.db import db, transaction
from protonpay.treasury import sweeping
from tests.actors import Actor
from tests.treasury.worlds import House
from tests.wallets.pools import follow_all

pytestmark = pytest.mark.slow


@pytest.fixture
def paid(ours: House, alice: Actor, bob: Actor) -> list[str]:
    """Two deposits, credited; what the treasury had before is booked as capital."""
    with transaction():
        # Whoever is funded in a test is so by capital on one of the networks.
        booked = ledger.balance(chart.custody(ours.name))
        had = Usdc(ours.world.usdc(ours.treasury)) + booked
        if had:
            ledger.post(entries.capital("before", ours.name, had))
    ours._fill(4)
    given = [
        who.post("/client/deposit/crypto", {"network": ours.name}).get_json()["deposit"]["address"]
        for who in (alice, bob)
    ]
    ours.deposit(*((at, 30_000_000 + place) for place, at in enumerate(given)))
    follow_all()
    return given


def _look(ours: House) -> Line:
    """Compare twice, which is what makes a mismatch a case."""
    ours.watch()
    db.session.commit()
    for wait in (0, 15):
        with clock.frozen(clock.now() + timedelta(seconds=wait)):
            line = reconciliation.reconcile(ours.name)
    return line


def _is_equal(ours: House) -> bool:
    line = _look(ours)
    return line.state == "ok" and line.compared >= 2 and reconciliation.open_cases() == []


def test_before_in_flight_landed_unknown_to_us_and_after(ours: House, paid: list[str]):
    assert _is_equal(ours), "before"
    sweeping.sign(ours.name)
    (batch,) = ours.batches()
    assert _is_equal(ours), "signed"
    sweeping.broadcast(batch.id)
    assert _is_equal(ours), "sent"
    ours.world.finalise()
    assert ours.states(*paid) == ["SIGNED"] * 2
    assert _is_equal(ours), "landed, and we do not know yet"
    assert sweeping.confirm(batch.id) is None
    assert _is_equal(ours), "swept"


def test_what_leaves_an_address_without_a_sweep_is_a_case(ours: House, paid: list[str]):
    ours.go()
    db.session.execute(text("UPDATE sweeps SET block = block + 1000000"))
    db.session.commit()
    _look(ours)
    kinds = {(case.kind, case.subject) for case in reconciliation.open_cases()}
    assert ("address_deficit", paid[1]) in kinds
    assert ("treasury_surplus", "treasury") in kinds
