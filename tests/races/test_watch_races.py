"""Two rounds of one network at once, as when the first takes longer than its turn."""

from functools import partial
from random import Random

import pytest
from sqlalchemy import insert

from protonpay.chains.watch import Arrival
from protonpay.kernel import clock
from protonpay.kernel.money import ZERO, Usdc
from protonpay.reconciliation import books
from protonpay.store.db import transaction
from protonpay.wallets import polling, recording
from protonpay.wallets.models import WatchedAccount
from tests.actors import make_actor
from tests.committed import OpenHouse
from tests.wallets.pools import transfers

pytestmark = pytest.mark.slow


def test_whoever_writes_the_same_down_in_whatever_order_waits_in_no_circle(open_house: OpenHouse):
    payee = make_actor(open_house.app, "Payee")
    held = {"0xours": ("user", payee.id)}
    seen = [
        Arrival("0xours", "0xtheirs", Usdc(1), f"0x{number:02}", 0, 7, "0xblock")
        for number in range(60)
    ]

    def write(arrivals: list[Arrival], *, final: bool) -> None:
        with transaction():
            recording.record("Base", arrivals, held, final=final)

    for final in (False, True):
        works = [partial(write, seen, final=final), partial(write, seen[::-1], final=final)] * 4
        assert open_house.inside_at_once(works) == [None] * len(works)
    assert [row.state for row in transfers()] == ["FINAL"] * len(seen)


def test_accounts_are_put_off_and_called_for_in_one_order(open_house: OpenHouse):
    """By a watch and by reconciliation, each for those that it has looked at."""
    addresses = [f"address{number:04}" for number in range(900)]
    # As they lie in the table, and as they are asked for, is no order.
    chance = Random(7)
    scattered = chance.sample(addresses, 900)
    now = clock.now()
    row = {"network": "Solana", "balance_micro": ZERO, "active_at": now, "due_at": now}
    with open_house.app.app_context(), transaction() as session:
        session.execute(insert(WatchedAccount), [{**row, "address": one} for one in scattered])

    def put_off() -> None:
        for _ in range(12):
            polling._look_later("Solana", chance.sample(addresses, 700))

    def call_for() -> None:
        for _ in range(12):
            with transaction():
                books.look_soon("Solana", chance.sample(addresses, 200))

    works = [put_off, call_for] * 4
    assert open_house.inside_at_once(works) == [None] * len(works)
