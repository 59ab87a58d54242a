"""How far a payment is that was seen: from what its network calls final, and unknown if that is."""

from dataclasses import asdict
from datetime import timedelta

import pytest

from protonpay.chains.watch import Arrival
from protonpay.invoices import receiving
from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.store import beats
from protonpay.store.db import transaction
from protonpay.store.queue import door
from protonpay.wallets import recording, watching
from tests.actors import Actor
from tests.invoices.asking import arrive, ask, change
from tests.wallets.pools import follow_all, states
from tests.wallets.test_finality import LARGE, SMALL, _pay
from tests.web.conftest import Away, redis_away

__all__ = ["redis_away"]

SMALL_SUM, LARGE_SUM = Usdc(SMALL), Usdc(LARGE)


def _seen(actor: Actor, *, block: int = 100, amount: Usdc = SMALL_SUM, final: bool = False) -> None:
    arrival = Arrival("0xours", "0xtheirs", amount, "0xhash", 0, block, f"0xblock{block}")
    with transaction():
        recording.record("Base", [arrival], {"0xours": ("user", actor.id)}, final=final)
    follow_all()


def _head(latest: int, *, small: int = 90, finalized: int = 60) -> None:
    beats.note_head("Base", latest=latest, small=small, finalized=finalized, finalized_at=0)


def _told(actor: Actor) -> tuple[int, int] | None:
    """Return what a list of deposits says of the newest one: what its own answer says, too."""
    (first, *_) = actor.get("/client/deposits").get_json()["deposits"]
    alone = actor.get(f"/client/deposit/{first['id']}").get_json()["deposit"]
    assert alone["confirmations"] == first["confirmations"]
    far = first["confirmations"]
    return far and (far["count"], far["required"])


@pytest.mark.parametrize(
    ("amount", "head", "far"),
    [
        (SMALL_SUM, {"latest": 101, "small": 90}, (2, 12)),
        (LARGE_SUM, {"latest": 101, "small": 90, "finalized": 60}, (2, 42)),
        (SMALL_SUM, {"latest": 99, "small": 90}, (1, 10)),  # noted before its block was made
        (SMALL_SUM, {"latest": 110, "small": 99}, (11, 12)),
        (SMALL_SUM, {"latest": 110, "small": 100}, (11, 11)),
        (SMALL_SUM, {"latest": 140, "small": 130}, (11, 11)),  # its network has come to it
    ],
)
def test_it_is_told_by_the_tag_that_its_amount_waits_for(
    bob: Actor, amount: Usdc, head: dict[str, int], far: tuple[int, int]
):
    _seen(bob, amount=amount)
    _head(**head)
    assert _told(bob) == far
    assert bob.available == Usdc(0), "no number of blocks credits anything"


def test_what_nobody_knows_is_unknown(bob: Actor, redis_away: Away):
    _seen(bob)
    door.client.delete("beats:chains")
    assert _told(bob) is None, "no head was ever noted"
    with clock.frozen(clock.now() - timedelta(seconds=31)):
        _head(101)
    assert _told(bob) is None, "what it was half a minute ago says nothing of now"
    door.client.hset("beats:chains", "Base", '{"latest": 101, "finalized": 60, "seenAt": 1e12}')
    assert _told(bob) is None, "of an older release, which said nothing of small ones"
    _head(101)
    with redis_away():
        assert _told(bob) is None
    assert _told(bob) == (2, 12)


def test_of_what_is_not_on_its_way_there_is_nothing_to_tell(bob: Actor):
    _head(101)
    _seen(bob)
    _seen(bob, final=True)
    assert _told(bob) is None


def test_the_payments_of_an_invoice_say_it_to_its_owner(bob: Actor):
    _head(3)
    made = ask(bob)
    on_its_way = arrive(made.id, "20")
    receiving.follow(on_its_way)
    (payment,) = made.whole["payments"]
    assert set(payment["confirmations"]) == {"count", "required"}
    change(on_its_way, "FINAL")
    receiving.follow(on_its_way)
    assert [one["confirmations"] for one in made.whole["payments"]] == [None]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("micro", "told"), [(SMALL, [(1, 2)]), (LARGE, [(1, 3), (2, 3)])], ids=["small", "large"]
)
def test_a_real_chain_credits_it_when_nothing_is_missing(
    base, payee, micro: int, told: list[tuple[int, int]]
):
    """Each block one more, never all of them before the network says final."""
    _pay(base, payee, micro)
    base.mine(1)
    found = []
    for _ in range(len(told) + 1):
        watching.watch("Base")
        follow_all()
        beats.note_head("Base", **asdict(base.world.chain.head()))
        found.append(_told(payee.actor))
        base.mine(1)
    assert (found, states()) == ([*told, None], ["FINAL"])
