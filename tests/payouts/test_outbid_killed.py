"""A bundle that nobody mines is outbid, its worker is killed, and any of its bytes may be mined."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from protonpay.chains.registry import BASE, POLYGON, chains
from protonpay.kernel import clock, faults
from protonpay.ledger import audit, chart
from protonpay.ledger import service as ledger
from protonpay.payouts.models import OutbidSend
from protonpay.payouts.sending import OUTBID_AFTER
from protonpay.sandbox import evm_outside
from protonpay.store.db import db
from protonpay.store.jobs import Later
from tests.actors import Actor, make_actor
from tests.chains.conftest import EvmWorld, evm_node, funded
from tests.committed import OpenHouse
from tests.events import events_of
from tests.payouts.orders import attempts, broadcast, confirm, outbid, sign, stored, withdraw

LEFT = {"Base": "9.95", "Polygon": "9.98"}
"""Of 20 USDC, after 10 and the fee."""


@pytest.fixture(scope="module", params=[BASE, POLYGON], ids=lambda network: network.name)
def world(request: pytest.FixtureRequest) -> Iterator[EvmWorld]:
    with evm_node(request.param) as url:
        yield funded(EvmWorld(url, request.param))


@pytest.fixture
def on_chain(open_house: OpenHouse, world: EvmWorld) -> Iterator[EvmWorld]:
    """The network is a real chain, whose blocks come when the test asks for them."""
    world.rpc("anvil_dropAllTransactions")
    world.mine(3)
    chains._made[world.network.name] = world.chain
    yield world
    del chains._made[world.network.name]


def killed_at(point: str, work: Callable[[], object]) -> None:
    """Do some work in a process of its own that is killed (-9) when it comes to a point."""
    db.session.remove()
    child = os.fork()
    if child == 0:
        try:
            db.engine.dispose(close=False)  # the parent's connections stay the parent's
            faults.arm(lambda name, _: os.kill(os.getpid(), 9) if name == point else None)
            work()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


def ordered(people: list[Actor], evm: EvmWorld) -> dict[str, tuple[Actor, str]]:
    """Let each ask for 10 USDC; return who asked and which wallet is meant, by payout."""
    found = {}
    for person in people:
        wallet = evm.order().to
        answer = withdraw(person, 10, evm.network.name, walletAddress=wallet).get_json()
        found[answer["payout"]["id"]] = (person, wallet)
    return found


def stored_unsent(evm: EvmWorld, payout_id: str, old_hash: str) -> tuple[str, int]:
    """Assert that dearer bytes lie beside the old ones; return their hash and last moment."""
    (now,) = attempts(payout_id)
    (kept,) = db.session.query(OutbidSend).all()
    assert (kept.tx_hash, now.state) == (old_hash, "OPEN")
    assert now.tx_hash != old_hash
    assert evm.rpc("eth_getTransactionByHash", now.tx_hash) is None
    found = now.tx_hash, int(now.terms["valid_before"])
    db.session.commit()
    return found


def given_back(network: str, people: dict[str, tuple[Actor, str]], blocked: str) -> None:
    """Assert that everybody was told once, and that only the blocked payment came back."""
    for payout_id, (person, _) in people.items():
        ends = ["payout.failed" if payout_id == blocked else "payout.completed"]
        assert [name for name, _ in events_of(person.id)] == ends
        left = "20.00" if payout_id == blocked else LEFT[network]
        assert (str(person.available), str(person.held)) == (left, "0.00")
    assert str(ledger.balance(chart.custody(network))) == "20.00"
    assert audit.findings(whole_chain=True) == []


@pytest.mark.parametrize("mined", ["old", "new"])
def test_killed_between_storing_and_sending_whatever_is_mined_pays_once(
    open_house: OpenHouse, on_chain: EvmWorld, mined: str
):
    evm = on_chain
    people = [make_actor(open_house.app, name, funded="20") for name in ("Ann", "Ben", "Cid")]
    wallets = ordered(people, evm)
    first, blocked, _ = wallets
    sign(first)
    # One payee is blocked while the bytes are on their way: it is refused in the bundle, alone.
    evm.outside(evm_outside.freeze, evm.usdc, wallets[blocked][1])
    broadcast(first)
    (old,) = attempts(first)
    old_hash, moment = old.tx_hash, old.created_at + OUTBID_AFTER

    with clock.frozen(moment):
        killed_at("payouts.outbid", lambda: outbid(first))
    new_hash, valid_until = stored_unsent(evm, first, old_hash)

    if mined == "old":
        evm.mine()
    with clock.frozen(moment):
        assert isinstance(confirm(first), Later)
    evm.mine(3)
    confirm(first)

    named = {"old": old_hash, "new": new_hash}[mined]
    for payout_id, (_, wallet) in wallets.items():
        paid = payout_id != blocked
        assert evm.held(wallet) == (10_000_000 if paid else 0)
        state, told = stored(payout_id).state, stored(payout_id).tx_hash
        assert (state, told) == (("COMPLETED", named) if paid else ("SENT", new_hash))

    # Refused, but its signature is public: only when it has run out is that an end.
    db.session.commit()
    evm.mine(3, after_seconds=max(valid_until - evm.time(), 0) + 1)
    assert confirm(first) is None
    assert confirm(first) is None
    failed = stored(blocked)
    assert (failed.state, failed.failure_code) == ("FAILED", "payee_blacklisted")
    assert [attempt.state for attempt in attempts()] == ["LANDED"]
    given_back(evm.network.name, wallets, blocked)
