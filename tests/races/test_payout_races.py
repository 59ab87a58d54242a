"""Whoever takes several payouts takes them in one order: of two, neither waits for the other."""

from collections.abc import Callable
from typing import Any

import pytest

from protonpay.payouts import waits
from tests.actors import make_actor
from tests.committed import OpenHouse
from tests.payouts.conftest import base
from tests.payouts.fake_chain import LANDED, LOST, FakeChain
from tests.payouts.orders import accepted, broadcast, confirm, sign
from tests.races.test_webhook_races import free_while_one_waits

__all__ = ["base"]

pytestmark = pytest.mark.slow

PAYOUT = "SELECT FROM payouts WHERE id = %(first)s FOR NO KEY UPDATE"
FREE_PAYOUTS = "SELECT FROM payouts WHERE id = %(second)s FOR NO KEY UPDATE NOWAIT"


@pytest.mark.parametrize("step", ["notes what they wait for", "hands in", "asks what became"])
def test_payouts_are_taken_in_the_order_of_their_owners(
    base: FakeChain, open_house: OpenHouse, step: str
):
    """Those of the second owner were ordered before, so that they are met first otherwise."""
    ann, ben = (make_actor(open_house.app, name, funded="100") for name in ("Ann", "Ben"))
    second, first = accepted(ben), accepted(ann)
    assert (ann.id < ben.id, second < first) == (True, True)
    base.most_in_one = 2
    acts: dict[str, Callable[[], Any]] = {
        "notes what they wait for": lambda: waits.note([second, first], "treasury_short"),
        "hands in": lambda: broadcast(second),
        "asks what became": lambda: confirm(second),
    }
    if step != "notes what they wait for":
        sign(second)
    if step == "asks what became":
        broadcast(second)
        base.plan("outcome", [LANDED, LOST])

    of = {"first": first, "second": second}
    assert free_while_one_waits(open_house, PAYOUT, acts[step], FREE_PAYOUTS, **of) == [1, None]
