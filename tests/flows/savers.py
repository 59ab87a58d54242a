"""People whose deposits are swept: they pay in, and what they paid reaches the treasury once."""

from collections.abc import Mapping

import psycopg

from protonpay.chains.registry import NETWORKS
from protonpay.kernel.money import Usdc
from tests.flows.city import OUTSIDE, City, Resident
from tests.patience import until

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


def swept_once(city: City, made: Mapping[str, list[tuple[Resident, str]]]) -> None:
    for name, people in made.items():
        for who, address in people:
            assert city.on_chain(name, address) == 0
            assert who.balance == str(Usdc(MICRO))
        node, family = city.parts.nodes[name], NETWORKS[name].family
        assert [OUTSIDE[family].native_balance(node, at) for _, at in people] == [0] * len(people)
    assert city.books_are_sound()
