"""Many payouts and deposits on three networks while everything fails at random.

Workers, the signer and the chains' nodes are killed, Redis forgets, blocks are taken back, nodes
fall silent, take a call and drop it, say an error of what they took, and hide logs. In the end the
book, the chains and everybody's balance agree to the millionth.

``make chaos PAYOUTS=500 SEED=7`` runs more of it. The seed decides who does what and what fails
when; what a process was doing just then is the machine's.
"""

import json
import os
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http.client import HTTPException
from typing import Any, Self

import psycopg
import pytest
import redis

from protonpay.chains.registry import NETWORKS
from protonpay.sandbox.evm import abi
from protonpay.sandbox.evm.rpc import NodeError, Rpc
from tests.flows import desk
from tests.flows.city import OUTSIDE, ROOT, City
from tests.flows.populace import PRESENT
from tests.flows.tollgate import TROUBLES
from tests.patience import until

pytestmark = pytest.mark.slow

PAYOUTS = int(os.environ.get("CHAOS_PAYOUTS", "40"))
SEED = int(os.environ.get("CHAOS_SEED", "20261126"))
PATIENCE = 120 + PAYOUTS
KILLED = ("chain", "watchers", "workers")
WEIGHTS = {"killed chain": 6, "killed watchers": 3, "killed workers": 3}
"""How often a process is killed, where another misfortune comes once."""


class Misfortune:
    """Does every bad thing once, and then more of them until it is called off."""

    def __init__(self, city: City, chance: random.Random) -> None:
        self._city, self._chance = city, chance
        self._over = threading.Event()
        self._redis = redis.Redis.from_url(city.environ["REDIS_URL"])
        self.acts = self._acts()
        self.done: Counter[str] = Counter()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._redis.close()

    def _work(self) -> None:
        names = list(self.acts)
        for name in self._chance.sample(names, len(names)):
            self._do(name)
        often = [WEIGHTS.get(name, 1) for name in names]
        while not self._over.is_set():
            self._do(*self._chance.choices(names, often))

    def _acts(self) -> dict[str, Callable[[], object]]:
        city, acts = self._city, {"flushed Redis": self._redis.flushdb}
        for group in KILLED:
            acts[f"killed {group}"] = partial(city.kill_one_of, group, self._chance)
        for network in NETWORKS:
            acts[f"killed the node of {network}"] = partial(city.kill_node, network)
            acts[f"reorg on {network}"] = partial(self._reorg, network)
            for trouble in TROUBLES:
                acts[f"{trouble} on {network}"] = partial(self._trouble, network, trouble)
        return acts

    def _do(self, name: str) -> None:
        self._over.wait(self._chance.uniform(0.1, 0.7))
        self.acts[name]()
        self.done[name] += 1

    def _reorg(self, network: str) -> None:
        with suppress(NodeError):  # nothing to take back
            if network == "Solana":
                node = Rpc(self._city.parts.nodes[network])
                node("sandbox_rollback", self._chance.randint(1, 20))
            else:
                self._city.take_back_a_block(network)

    def _trouble(self, network: str, trouble: str) -> None:
        self._city.gates[network].troubles.extend([trouble] * self._chance.randint(1, 4))


def _people(city: City) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.flows.populace", str(PAYOUTS), str(SEED)]
    return subprocess.Popen(command, env=city.environ, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _pay(city: City, network: str, place: str, micro: int) -> None:
    """Send from outside, and wait for nothing: a reorg may take it away before it is mined.

    A payment whose answer was lost with its node is made again, and may be there twice.
    """
    of, node = NETWORKS[network], city.parts.nodes[network]

    def paid() -> bool:
        try:
            if of.chain_id is None:
                OUTSIDE[of.family].send_usdc(node, of.usdc, place, micro)
            else:
                data = abi.call("transfer(address,uint256)", place, micro)
                sender = Rpc(node)("eth_accounts")[0]
                Rpc(node)("eth_sendTransaction", {"from": sender, "to": of.usdc, "data": data})
        except (OSError, HTTPException):
            return False
        return True

    until(paid, PATIENCE)


def _rows(city: City, query: str, *values: Any) -> list[Any]:
    with psycopg.connect(city.environ["DATABASE_URL"]) as connection:
        return connection.execute(query, values).fetchall()


def _all_ended(city: City, payouts: list[str]) -> bool:
    query = "SELECT count(*) FROM payouts WHERE id = ANY(%s) AND state NOT IN ('COMPLETED')"
    return _rows(city, query, payouts) == [(0,)]


def _balances(city: City, users: list[str]) -> dict[str, int]:
    query = "SELECT u, ledger_balance('user:' || u || ':available') FROM unnest(%s::text[]) AS u"
    return dict(_rows(city, query, users))


def _seen(city: City, person: dict[str, Any]) -> list[Any]:
    """Return what the product knows of what was paid to somebody."""
    query = "SELECT state, amount_micro, block, tx_hash FROM incoming WHERE address = %s"
    return _rows(city, query, person["place"])


def _reconciled(city: City) -> bool:
    """Whether the product's own comparison finds no difference and nothing unknown."""
    return desk.typed(city.environ, "ops", "reconcile").code == 0


def test_in_the_end_everything_agrees(city: City):
    people: list[dict[str, Any]] = []
    with Misfortune(city, random.Random(SEED)) as misfortune, _people(city) as arriving:
        assert arriving.stdout is not None
        for line in arriving.stdout:
            person = json.loads(line)
            _pay(city, person["into"], person["place"], person["pays"])
            people.append(person)
    assert (arriving.returncode, len(people)) == (0, PAYOUTS)
    assert misfortune.done.keys() == misfortune.acts.keys()
    for gate in city.gates.values():
        gate.troubles.clear()

    until(lambda: _all_ended(city, [person["payout"] for person in people]), PATIENCE)
    for person in people:
        assert city.on_chain(person["out"], person["wallet"]) == person["micro"], person

    def wanted() -> dict[str, int]:
        # A payment that a reorg took away was never made.
        return {
            person["user"]: PRESENT.micro
            - person["total"]
            + city.on_chain(person["into"], person["place"])
            for person in people
        }

    users = [person["user"] for person in people]

    def wrong() -> list[Any]:
        are, should = _balances(city, users), wanted()
        return [
            (are[user], should[user], person, _seen(city, person))
            for person in people
            if are[user := person["user"]] != should[user]
        ]

    until(lambda: not wrong(), PATIENCE, wrong)
    assert city.books_are_sound()
    until(lambda: _reconciled(city), PATIENCE)
    assert _rows(city, "SELECT job, last_error FROM outbox WHERE dead_at IS NOT NULL") == []
