"""Deposits reach the treasury once, whatever dies on the way."""

from collections.abc import Mapping

import psycopg
import pytest

from protonpay.chains.registry import NETWORKS
from protonpay.kernel.money import Usdc
from tests.flows.city import OUTSIDE, City, Resident
from tests.simulators import until

pytestmark = pytest.mark.slow

MICRO = 12_345_678


def _asked(city: City, query: str) -> int:
    with psycopg.connect(city.environ["DATABASE_URL"]) as connection:
        row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def paid_in(city: City, count: int) -> Mapping[str, list[tuple[Resident, str]]]:
    """Let people pay in on every network, and wait until it is theirs."""
    made = {
        name: [
            (who, who.post("/client/deposit/crypto", network=name)["deposit"]["address"])
            for who in (city.resident("Saver") for _ in range(count))
        ]
        for name in NETWORKS
    }
    for name, people in made.items():
        of = NETWORKS[name]
        for _, address in people:
            OUTSIDE[of.family].send_usdc(city.parts.nodes[name], of.usdc, address, MICRO)
    for people in made.values():
        for who, _ in people:
            until(lambda who=who: who.balance == str(Usdc(MICRO)), 60)
    return made


def _left(city: City) -> int:
    lying = "SELECT count(*) FROM incoming WHERE state = 'FINAL' AND swept_by IS NULL"
    return _asked(city, lying) + _asked(city, "SELECT count(*) FROM sweeps WHERE state <> 'SWEPT'")


def wait_until_swept(city: City) -> None:
    until(lambda: _left(city) == 0, 120)


def _changes(city: City) -> int:
    """Count how often a transaction changed so far: signed, sent, ended."""
    moves = "count(*) + count(*) FILTER (WHERE state <> 'SIGNED') + count(ended_at)"
    return _asked(city, f"SELECT {moves} FROM sweep_batches")


def swept_once(city: City, made: Mapping[str, list[tuple[Resident, str]]]) -> None:
    for name, people in made.items():
        for who, address in people:
            assert city.on_chain(name, address) == 0
            assert who.balance == str(Usdc(MICRO))
        node, family = city.parts.nodes[name], NETWORKS[name].family
        assert [OUTSIDE[family].native_balance(node, at) for _, at in people] == [0] * len(people)
    assert city.books_are_sound()


@pytest.mark.parametrize("side", ["before", "after"])
def test_killed_on_either_side_of_the_send(city: City, side: str):
    made = paid_in(city, 3)
    for gate in city.gates.values():
        setattr(gate, side, city.kill_chain_worker)

    city.flask("ops", "sweep", "--everything")

    wait_until_swept(city)
    assert all(getattr(gate, side) is None for gate in city.gates.values()), "nobody was killed"
    swept_once(city, made)


def test_killed_at_every_change(city: City):
    made = paid_in(city, 2)
    seen, kills = _changes(city), 0
    city.flask("ops", "sweep", "--everything")
    while _left(city):
        until(lambda seen=seen: _changes(city) > seen or not _left(city), 60)
        seen = _changes(city)
        if kills < 2 * len(NETWORKS):
            city.kill_chain_worker()
            kills += 1
    assert kills > 1
    swept_once(city, made)
