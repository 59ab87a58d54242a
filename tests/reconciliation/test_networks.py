"""A network as of one final block, beside the book: on real chains, whose node may lie."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from protonpay.chains.registry import chains
from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.ledger import entries
from protonpay.ledger import service as ledger
from protonpay.rails import service as rails
from protonpay.reconciliation import service as reconciliation
from protonpay.reconciliation.service import Line
from protonpay.sandbox import evm_outside
from protonpay.store.db import db, transaction
from protonpay.wallets import watching
from protonpay.wire.http import NoAnswer
from tests.actors import make_actor
from tests.unchanged import only_changes
from tests.wallets.pools import follow_all

pytestmark = pytest.mark.slow

SOON = timedelta(seconds=15)
LOOKS = ("reconciliation_passes", "reconciliation_cases")


def look(times: int = 1, rail: str = "Base") -> Line:
    """Compare so many times, a while apart."""
    for count in range(times):
        with clock.frozen(clock.now() + count * SOON):
            line = reconciliation.reconcile(rail)
    return line


def cases() -> list[tuple[str, str, str]]:
    return [(case.state, case.kind, case.subject) for case in reconciliation.open_cases()]


def pay(base: SimpleNamespace, address: str, micro: int) -> None:
    base.world.outside(evm_outside.send_usdc, base.world.usdc, address, micro)
    watch(base)


def watch(base: SimpleNamespace) -> None:
    base.mine(5)
    watching.watch("Base")
    follow_all()


def test_what_was_paid_and_credited_is_equal(base_seen: SimpleNamespace, payee: SimpleNamespace):
    pay(base_seen, payee.base, 12_345_678)
    with only_changes("reconciliation_passes"):
        line = look()
    assert (line.state, line.compared, line.ours) == ("ok", 1, Usdc(12_345_678 + base_seen.capital))
    assert line.theirs == line.ours


def test_what_is_final_and_not_read_or_not_credited_yet_is_no_difference(
    base_seen: SimpleNamespace, payee: SimpleNamespace
):
    pay(base_seen, payee.base, 5_000_000)
    base_seen.world.outside(evm_outside.send_usdc, base_seen.world.usdc, payee.base, 7)
    base_seen.mine(5)
    assert (look().state, look().ours) == ("ok", Usdc(5_000_000 + base_seen.capital)), (
        "the watch is behind"
    )

    watching.watch("Base")
    assert (look().state, look().ours) == ("ok", Usdc(5_000_007 + base_seen.capital)), (
        "its job has not run"
    )


def test_usdc_sent_to_the_treasury_is_a_case_and_stops_nothing(base_seen: SimpleNamespace):
    treasury = chains.addresses().treasury["evm"]
    pay(base_seen, treasury, 250)
    assert look(3).state == "DIFFERS"
    assert (cases(), rails.paused("Base")) == ([("OPEN", "treasury_surplus", "treasury")], False)

    with transaction():
        ledger.post(entries.capital("0xabc", "Base", Usdc(250)))
    assert look().state == "ok"
    assert (cases(), rails.changes()) == ([], [])


def test_capital_that_is_booked_and_not_there_stops_payouts(base_seen: SimpleNamespace):
    with transaction():
        ledger.post(entries.capital("0xabc", "Base", Usdc(250)))
    base_seen.mine(5)
    watch(base_seen)
    assert look(3).state == "DIFFERS"
    (case,) = reconciliation.open_cases()
    there = case.evidence["chain"]
    assert (case.kind, case.evidence["book"]) == ("treasury_deficit", there + 250)
    assert rails.paused("Base")


def _no_state(method: str, _params: list[Any], told: Any) -> Any:
    if method == "eth_call":
        raise NoAnswer("missing trie node")
    return told


def _nothing(method: str, _params: list[Any], told: Any) -> Any:
    return "0x" if method == "eth_call" else told


def _other_chain(method: str, _params: list[Any], told: Any) -> Any:
    return "0x1" if method == "eth_chainId" else told


def _behind(method: str, params: list[Any], told: Any) -> Any:
    if method == "eth_getBlockByNumber" and params[0] == "finalized":
        return {**told, "number": "0x1"}
    return told


@pytest.mark.parametrize("lie", [_no_state, _nothing, _other_chain, _behind])
def test_a_node_that_cannot_say_is_unknown(
    base_seen: SimpleNamespace, payee: SimpleNamespace, lie: Callable[..., Any]
):
    pay(base_seen, payee.base, 5_000_000)
    base_seen.rpc.spoil = lie
    with only_changes("reconciliation_passes"):
        line = look(2)
    assert (line.state, cases()) == ("unknown", [])
    base_seen.rpc.honest()
    assert look().state == "ok"


def test_a_network_that_was_never_watched_is_unknown(house: Any):
    line = look(rail="Polygon")
    assert (line.state, line.ours, line.said) == (
        "unknown",
        None,
        "no watch of this network has begun",
    )


def test_a_pass_goes_on_where_a_dead_worker_left_it(
    base_seen: SimpleNamespace, payee: SimpleNamespace, house: Any
):
    users = [make_actor(house, "Payee") for _ in range(3)]
    for user in users:
        user.post("/client/deposit/crypto", {"network": "Base"})
    pay(base_seen, payee.base, 5_000_000)
    base_seen.snapshot.at_once = 2

    assert reconciliation.step("Base", at_once=True) == 1
    assert reconciliation.step("Base") == 1
    asked = base_seen.rpc.asked.count("eth_call")
    # The rest is asked at the same block, though the chain and the watch have gone on.
    pay(base_seen, payee.base, 9)
    assert reconciliation.step("Base") == 1
    assert reconciliation.step("Base") == 0
    assert base_seen.rpc.asked.count("eth_call") - asked == 2
    line = next(line for line in reconciliation.table() if line.rail == "Base")
    assert (line.state, line.compared, line.ours) == ("ok", 4, Usdc(5_000_000 + base_seen.capital))


def test_a_worker_at_it_keeps_others_away_for_a_while(base_seen: SimpleNamespace):
    watch(base_seen)
    db.session.commit()
    before = reconciliation.step("Base", at_once=True)
    with transaction() as session:
        session.execute(text("UPDATE reconciliation_passes SET busy_until = now() + interval '1h'"))
    assert (before, reconciliation.step("Base", at_once=True)) == (1, 0)


def test_solana_is_compared_slot_by_slot(solana_seen: SimpleNamespace, payee: SimpleNamespace):
    _pay_on_solana(solana_seen, payee.solana, 3_000_003)
    watching.watch("Solana")
    follow_all()
    line = look(rail="Solana")
    standing = {kind for _, kind, _ in cases()}
    # The tests' own presents are booked on Solana and are not there.
    assert standing == {"treasury_deficit"}
    assert line.compared == 1

    _pay_on_solana(solana_seen, payee.solana, 4)
    look(rail="Solana")
    assert ("SEEN", "address_surplus", payee.solana) in cases()
    watching.watch("Solana")
    look(rail="Solana")
    assert {kind for _, kind, _ in cases()} == {"treasury_deficit"}, "the watch was asked to look"


def _pay_on_solana(solana: SimpleNamespace, address: str, micro: int) -> None:
    solana.node.call("sandbox_sendUsdc", address, micro)
    solana.node.warp(1)
    solana.node.finalize()


def test_a_pass_that_took_long_is_followed_by_a_longer_rest(base_seen: SimpleNamespace):
    watch(base_seen)
    now = clock.now()
    with clock.frozen(now):
        assert reconciliation.step("Base", at_once=True) == 1
    with clock.frozen(now + timedelta(minutes=5)):
        assert reconciliation.step("Base") == 0
    for minutes, begins in ((10, 0), (24, 0), (26, 1)):
        with clock.frozen(now + timedelta(minutes=minutes)):
            assert reconciliation.step("Base") == begins


def test_the_command_prints_the_table_and_ends_as_it_found(
    base_seen: SimpleNamespace, payee: SimpleNamespace, house: Any
):
    def flask(*words: str) -> tuple[int, str]:
        db.session.commit()
        result = house.test_cli_runner().invoke(args=["ops", *words])
        return result.exit_code, result.output

    base_seen.rpc.spoil = _other_chain
    assert flask("reconcile", "--rail", "Base")[0] == 3
    base_seen.rpc.honest()
    pay(base_seen, payee.base, 2_500_000)
    code, said = flask("reconcile", "--rail", "Base")
    head, line = said.splitlines()
    there = str(Usdc(2_500_000 + base_seen.capital))
    assert (code, line.split()) == (0, ["Base", "1", there, there, "0.00", "ok"])
    assert head.split()[:2] == ["rail", "compared"]

    db.session.execute(text("UPDATE incoming SET amount_micro = 2500001"))
    code, said = flask("reconcile", "--rail", "Base")
    assert (code, said.split()[-6:-4]) == (1, [str(Usdc(2_500_001 + base_seen.capital)), there])
    assert f"-0.000001  seen address_deficit {payee.base}" in said
    assert f"Base  address_deficit  {payee.base}" in flask("cases")[1]
    assert flask("reconcile", "--rail", "nowhere")[0] == 2


@pytest.mark.parametrize(
    ("lost", "kind"),
    [
        ("DELETE FROM deposits", "deposit_missing"),
        ("UPDATE incoming SET final_at = now() - interval '1 hour'", "transfer_not_credited"),
    ],
)
def test_a_final_transfer_that_nobody_follows_is_a_case(
    base_seen: SimpleNamespace, payee: SimpleNamespace, lost: str, kind: str
):
    base_seen.world.outside(evm_outside.send_usdc, base_seen.world.usdc, payee.base, 2_500_000)
    base_seen.mine(5)
    watching.watch("Base")
    if kind == "deposit_missing":
        follow_all()
    assert look(2).state == "ok", "within ten minutes its job may come"
    db.session.execute(text("UPDATE incoming SET final_at = now() - interval '1 hour'"))
    db.session.execute(text(lost))
    db.session.commit()

    assert look(3).state == "DIFFERS"
    assert [(state, what) for state, what, _ in cases()] == [("OPEN", kind)]
    assert rails.paused("Base")
    if kind == "transfer_not_credited":
        follow_all()
        assert (look().state, cases()) == ("ok", [])


def test_more_payouts_than_one_answer_holds_are_asked_about_at_one_slot(
    solana_seen: SimpleNamespace,
):
    at = solana_seen.snapshot.block(None)
    told = solana_seen.snapshot.treasury(at, [f"cpayout{number}" for number in range(250)])
    assert (told.height >= at.height, told.paid) == (True, frozenset())
