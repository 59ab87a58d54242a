"""A worker dies at each fault point, on each network: one transfer, equal books, told once."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import protonpay
from protonpay.chains.registry import NETWORKS
from tests.flows.city import OUTSIDE, PATIENCE, City, Resident
from tests.flows.savers import paid_in, swept_once, wait_until_swept
from tests.flows.test_crashes import order, paid_once
from tests.patience import until

pytestmark = pytest.mark.slow


def _points() -> Iterator[str]:
    """Yield every fault point in the program: one that is added is walked without a word here."""
    for path in Path(protonpay.__file__).parent.rglob("*.py"):
        text = path.read_text()
        # Every process that shares the tests reads the whole program here.
        for node in ast.walk(ast.parse(text)) if "faults.point" in text else ():
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "faults.point":
                yield str(ast.literal_eval(node.args[0]))


POINTS = sorted(_points())
ELSEWHERE = {"payouts.outbid": "tests/payouts/test_outbid_killed.py"}
"""Points that only a payment which nobody mines comes to, and the test that dies there."""
ROOMS = {"payouts", "wallets", "deposits", "treasury"}


def _of(room: str) -> list[str]:
    return [each for each in POINTS if each.startswith(f"{room}.") and each not in ELSEWHERE]


@pytest.fixture(autouse=True)
def disarmed(city: City) -> Iterator[None]:
    yield
    for point in POINTS:
        for path in city.log.glob(f"{point}@*"):
            path.unlink()


def _told(city: City, user: Resident, event: str) -> set[str]:
    """Return the bodies in which an event was told, however often each was delivered."""
    bodies = [body for _, body in city.inbox.of(user.id)]
    return {body.decode() for body in bodies if json.loads(body)["event"] == event}


def test_every_point_is_walked():
    assert len(set(POINTS)) == len(POINTS), "a name is said once in the program"
    assert {point.partition(".")[0] for point in POINTS} == ROOMS
    for point, test in ELSEWHERE.items():
        assert point in POINTS
        assert f'"{point}"' in Path(protonpay.__file__).parents[1].joinpath(test).read_text()


def _arm(city: City, room: str, *wheres: str) -> list[str]:
    """Arm every point of a room in every place: on each network one process dies at each."""
    points = _of(room)
    for point in points:
        city.arm(point, *wheres)
    return points


def _armed(city: City, points: list[str]) -> list[str]:
    return [f"{point}@{where}" for point in points for where in city.armed(point)]


def test_payouts_survive_a_death_at_every_point(city: City):
    points = _arm(city, "payouts", *NETWORKS)
    ordered = order(city, subscribed_to="payout.completed")

    paid_once(city, ordered)

    # The last of them lies after the commit that everybody sees.
    until(lambda: _armed(city, points) == [], PATIENCE)
    for user, payout_id, _ in ordered.values():
        (body,) = until(lambda user=user: _told(city, user, "payout.completed"), PATIENCE)
        assert json.loads(body)["data"]["id"] == payout_id


def test_deposits_survive_a_death_at_every_point(city: City):
    points = _arm(city, "wallets", *[f"{network}.FINAL" for network in NETWORKS])
    points += _arm(city, "deposits", *NETWORKS)
    payees = {network: city.resident("Payee") for network in NETWORKS}
    for network, payee in payees.items():
        city.subscribe(payee, "deposit.confirmed")
        place = payee.post("/client/deposit/crypto", network=network)["deposit"]["address"]
        of = NETWORKS[network]
        OUTSIDE[of.family].send_usdc(city.parts.nodes[network], of.usdc, place, 7_000_001)

    for payee in payees.values():
        until(lambda payee=payee: payee.balance == "7.000001", PATIENCE)

    # The last of them lies after the commit that everybody sees.
    until(lambda: _armed(city, points) == [], PATIENCE)
    for payee in payees.values():
        (_,) = until(lambda payee=payee: _told(city, payee, "deposit.confirmed"), PATIENCE)
    assert city.books_are_sound()


def test_sweeps_survive_a_death_at_every_point(city: City):
    made = paid_in(city, 2)
    points = _arm(city, "treasury", *NETWORKS)

    city.flask("ops", "sweep", "--everything")

    wait_until_swept(city)
    until(lambda: _armed(city, points) == [], PATIENCE)
    swept_once(city, made)
