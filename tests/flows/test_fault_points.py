"""A worker dies at each fault point, on each network: one transfer, equal books, told once."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import protonpay
from protonpay.chains.registry import NETWORKS
from tests.flows.city import OUTSIDE, PATIENCE, City, Resident
from tests.flows.test_crashes import order, paid_once
from tests.flows.test_sweeps import paid_in, swept_once, wait_until_swept
from tests.patience import until

pytestmark = pytest.mark.slow


def _points() -> Iterator[str]:
    """Yield every fault point in the program: one that is added is walked without a word here."""
    for path in Path(protonpay.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "faults.point":
                yield str(ast.literal_eval(node.args[0]))


POINTS = sorted(_points())
ROOMS = {"payouts", "wallets", "deposits", "treasury"}


def _of(room: str) -> list[str]:
    return [point for point in POINTS if point.startswith(f"{room}.")]


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


@pytest.mark.parametrize("point", _of("payouts"))
def test_a_payout_survives_a_death_at(city: City, point: str):
    city.arm(point, *NETWORKS)
    ordered = order(city, subscribed_to="payout.completed")

    paid_once(city, ordered)

    assert city.armed(point) == []
    for user, payout_id, _ in ordered.values():
        (body,) = until(lambda user=user: _told(city, user, "payout.completed"), PATIENCE)
        assert json.loads(body)["data"]["id"] == payout_id


@pytest.mark.parametrize("point", [*_of("wallets"), *_of("deposits")])
def test_a_deposit_survives_a_death_at(city: City, point: str):
    in_the_end = [f"{network}.FINAL" for network in NETWORKS]
    wheres = in_the_end if point.startswith("wallets.") else list(NETWORKS)
    city.arm(point, *wheres)
    payees = {network: city.resident("Payee") for network in NETWORKS}
    for network, payee in payees.items():
        city.subscribe(payee, "deposit.confirmed")
        place = payee.post("/client/deposit/crypto", network=network)["deposit"]["address"]
        of = NETWORKS[network]
        OUTSIDE[of.family].send_usdc(city.parts.nodes[network], of.usdc, place, 7_000_001)

    for payee in payees.values():
        until(lambda payee=payee: payee.balance == "7.000001", PATIENCE)

    assert city.armed(point) == []
    for payee in payees.values():
        assert (
            len(until(lambda payee=payee: _told(city, payee, "deposit.confirmed"), PATIENCE)) == 1
        )
    assert city.books_are_sound()


@pytest.mark.parametrize("point", _of("treasury"))
def test_sweeps_survive_a_death_at(city: City, point: str):
    made = paid_in(city, 2)
    city.arm(point, *NETWORKS)

    city.flask("ops", "sweep", "--everything")

    wait_until_swept(city)
    until(lambda: city.armed(point) == [], PATIENCE)
    swept_once(city, made)
