"""Payouts that are paused, above the signer's ceilings or held for nowhere wait; none fails."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from protonpay.chains.port import NotReady, PayeeRefused
from protonpay.kernel import clock
from protonpay.payouts import switches, waits
from protonpay.payouts.ceilings import ALL, Ceiling, signer
from protonpay.rails import service as rails
from protonpay.store.db import db, transaction
from protonpay.store.jobs import Later
from tests.actors import Actor
from tests.committed import OpenHouse
from tests.events import events_of
from tests.patience import until
from tests.payouts.fake_chain import LANDED, LOST, FakeChain
from tests.payouts.orders import (
    accepted,
    attempts,
    broadcast,
    confirm,
    only_waits,
    sent,
    sign,
    stored,
    usdc,
    withdraw_at,
)
from tests.plans.of_a_kind import change_plan, on_plan
from tests.unchanged import nothing_changes, only_changes

MINUTE = timedelta(minutes=1)


@pytest.fixture
def capped() -> Iterator[None]:
    """Whatever ceilings a test sets are gone afterwards."""
    yield
    signer.bind({})


def _pause(network: str = "Base") -> bool:
    return rails.pause(network, reason="a look at the books", by="olga")


def _resume(network: str = "Base") -> bool:
    return rails.resume(network, reason="all is well", by="oleg")


# The switch


def test_while_paused_nothing_is_signed_and_nothing_fails(
    alice: Actor, base: FakeChain, polygon: FakeChain
):
    on_plan(alice, cooldown_seconds=0)
    payout_id, other = accepted(alice), accepted(alice, network="Polygon")
    assert _pause()

    with only_waits(payout_id, "payouts_paused"):
        assert sign(payout_id) == Later(5, "payouts_paused")
    assert (base.signed, stored(payout_id).state, alice.held) == ([], "PENDING", usdc("100.07"))
    assert sign(other) is None, "another network goes on"
    assert events_of(alice.id) == []

    assert _resume()
    assert sign(payout_id) is None
    assert stored(payout_id).state == "SIGNED"


def test_what_was_signed_goes_on_to_its_end(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)
    sign(payout_id)
    _pause()

    assert broadcast(payout_id) is None
    assert stored(payout_id).state == "SENT"


def test_pausing_what_is_paused_changes_nothing(house, alice: Actor):
    with only_changes("rail_switches", "rail_changes"):
        assert _pause()
    with nothing_changes():
        assert not rails.pause("Base", reason="again", by="olga")
    assert _resume()
    with nothing_changes():
        assert not _resume()

    told = [(one.rail, one.paused, one.reason, one.changed_by) for one in rails.changes()]
    assert told == [
        ("Base", False, "all is well", "oleg"),
        ("Base", True, "a look at the books", "olga"),
    ]


def test_a_network_nobody_has_named_before_has_a_switch_too(house):
    with transaction():
        switches.check("Another")
    assert _pause("Another")
    with pytest.raises(NotReady), transaction():
        switches.check("Another")


def test_a_pause_is_in_force_before_the_next_signature(open_house: OpenHouse):
    """A signature that is being made is finished first; the one after it finds the switch."""
    order: list[str] = []

    def signs() -> None:
        with transaction():
            switches.check("Base")
            order.append("signing")
            until(lambda: _somebody_waits(open_house))
            order.append("signed")

    def pauses() -> None:
        until(lambda: order)
        _pause()
        order.append("paused")

    assert open_house.inside_at_once([signs, pauses]) == [None, None]
    assert order == ["signing", "signed", "paused"]
    with pytest.raises(NotReady), transaction():
        switches.check("Base")


def _somebody_waits(house: OpenHouse) -> bool:
    waits = "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
    with house.superuser() as above:
        return above.execute(waits, (house.database,)).fetchone() is not None


# The signer's ceilings


def _rich(actor: Actor) -> Actor:
    on_plan(actor, cooldown_seconds=0)
    return actor


@pytest.mark.usefixtures("capped")
def test_above_the_ceiling_of_one_payout_it_waits(alice: Actor, base: FakeChain):
    signer.bind({"Base": "50/-/-"})
    _rich(alice)
    fits, above = accepted(alice, "50"), accepted(alice, "50.000001")

    assert sign(fits) is None
    with only_waits(above, "over_payout_ceiling"):
        assert sign(above) == Later(5, "over_payout_ceiling")
    assert (len(base.signed), stored(above).state) == (1, "PENDING")


@pytest.mark.usefixtures("capped")
@pytest.mark.parametrize(
    ("ceiling", "name", "ages"), [("-/100/-", "hour", 60), ("-/-/100", "day", 1440)]
)
@pytest.mark.parametrize("where", ["Base", ALL])
def test_an_hour_and_a_day_are_full_to_the_millionth(
    alice: Actor, base: FakeChain, ceiling: str, name: str, ages: int, where: str
):
    signer.bind({where: ceiling})
    _rich(alice)
    now = clock.now()
    first, second, third = (withdraw_at(now, alice, amount) for amount in ("50", "50", "0.000001"))
    with clock.frozen(now):
        assert [sign(first), sign(second)] == [None, None]
        with only_waits(third, f"over_{name}_ceiling"):
            assert sign(third) == Later(5, f"over_{name}_ceiling")
        (room,) = signer.rooms()
        assert (room.where, room.period, room.signed) == (where, name, usdc("100"))
    with clock.frozen(now + (ages - 1) * MINUTE):
        assert sign(third) == Later(5, f"over_{name}_ceiling")
    with clock.frozen(now + (ages + 2) * MINUTE):
        assert sign(third) is None


@pytest.mark.usefixtures("capped")
def test_a_ceiling_of_one_network_is_no_other_ones(
    alice: Actor, base: FakeChain, polygon: FakeChain
):
    signer.bind({"Base": "10/-/-"})
    assert sign(accepted(_rich(alice), network="Polygon")) is None
    signer.bind({ALL: "-/100/-"})
    assert sign(accepted(alice)) is None
    assert sign(accepted(alice, network="Polygon")) == Later(5, "over_hour_ceiling")


@pytest.mark.usefixtures("capped")
def test_what_is_signed_anew_is_counted_once(alice: Actor, base: FakeChain):
    signer.bind({"Base": "-/60/-"})
    payout_id = accepted(alice)
    base.plan("outcome", LOST)
    sent(payout_id)
    confirm(payout_id)
    assert stored(payout_id).state == "PENDING"

    assert sign(payout_id) is None
    assert [one.state for one in attempts(payout_id)] == ["LOST", "OPEN"]
    assert signer.rooms()[0].signed == usdc("50")


@pytest.mark.parametrize("written", ["", "1/2", "1/2/3/4", "a/-/-", "-1/-/-", "1.0000001/-/-"])
def test_a_ceiling_written_otherwise_is_refused(written: str):
    with pytest.raises(ValueError, match=r"ceiling|amount"):
        Ceiling.parse(written)


# What the book holds


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE payouts SET amount_micro = amount_micro + 1",
        "UPDATE payouts SET fee_micro = fee_micro + 1",
        "UPDATE payouts SET user_id = (SELECT id FROM users WHERE id <> user_id LIMIT 1)",
        "UPDATE payouts SET user_id = user_id",
    ],
)
def test_what_the_book_does_not_hold_is_not_signed(
    alice: Actor, bob: Actor, base: FakeChain, tampering: str
):
    payout_id = accepted(alice)
    if tampering.endswith("user_id = user_id"):
        db.session.execute(text("UPDATE outbox SET done_at = now()"))
        made = (
            "INSERT INTO payouts SELECT 'cforged', user_id, network, wallet_address, amount_micro,"
        )
        made += (
            " fee_micro, state, NULL, NULL, created_at - interval '1 hour', NULL, NULL FROM payouts"
        )
        db.session.execute(text(made))
        payout_id = "cforged"
    db.session.execute(text(tampering))
    db.session.commit()

    with only_waits(payout_id, "hold_missing"):
        assert sign(payout_id) == Later(5, "hold_missing")
    assert (base.signed, stored(payout_id).state) == ([], "PENDING")


@pytest.mark.parametrize("refusal", ["its owner's", "the chain's", "the plan's"])
def test_what_the_book_does_not_hold_is_not_given_back_either(
    alice: Actor, base: FakeChain, refusal: str
):
    _rich(alice)
    payout_id, _ = accepted(alice), accepted(alice, 500)
    db.session.execute(text("UPDATE payouts SET amount_micro = 2 * amount_micro"))
    db.session.commit()
    if refusal == "its owner's":
        assert alice.post(f"/client/withdraw/{payout_id}/cancel").status_code == 200
    elif refusal == "the chain's":
        base.plan("read_terms", PayeeRefused("payee_blacklisted", "no"))
    else:
        change_plan(alice, single_limit_micro=1)

    with only_waits(payout_id, "hold_missing"):
        assert sign(payout_id) == Later(5, "hold_missing")


def test_what_was_given_back_or_paid_is_not_signed(alice: Actor, base: FakeChain):
    payout_id = accepted(alice)
    sent(payout_id)
    base.plan("outcome", LANDED)
    confirm(payout_id)
    assert stored(payout_id).state == "COMPLETED"
    db.session.execute(text("UPDATE payouts SET state = 'PENDING', ended_at = NULL"))
    db.session.commit()

    with only_waits(payout_id, "hold_missing"):
        assert sign(payout_id) == Later(5, "hold_missing")
    assert len(base.signed) == 1


# What operators see


def test_what_waits_is_counted_by_reason(alice: Actor, base: FakeChain, client):
    payout_id = accepted(alice)
    _pause()
    sign(payout_id)

    (line,) = waits.lines()
    assert (line.network, line.reason, line.count) == ("Base", "payouts_paused", 1)
    assert line.total == stored(payout_id).amount_micro
    page = client.get("/metrics").get_data(as_text=True)
    metrics = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }
    assert metrics["protonpay_rail_paused", "Base"] == 1
    assert metrics["protonpay_rail_paused", "Polygon"] == 0
    assert metrics["protonpay_payouts_waiting", "Base", "payouts_paused"] == 1
    assert metrics["protonpay_payouts_waiting_micro_usdc", "Base", "payouts_paused"] == 50_000_000
    assert metrics["protonpay_payouts_short_of_liquidity", "Base"] == 0
