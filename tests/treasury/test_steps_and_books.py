"""Each commit orders its next step, and nobody's balance moves with a sweep."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from protonpay.chains.registry import chains
from protonpay.deposits import crypto
from protonpay.kernel import clock
from protonpay.kernel.errors import Invalid
from protonpay.kernel.money import Usdc
from protonpay.ledger import audit, chart
from protonpay.ledger import service as ledger
from protonpay.store.db import db
from protonpay.treasury import service, sweeping
from tests.actors import Actor
from tests.treasury.worlds import House
from tests.unchanged import nothing_changes
from tests.wallets.pools import follow_all

pytestmark = pytest.mark.slow


def _ordered(job: str) -> list[dict]:
    rows = db.session.execute(text("SELECT args FROM outbox WHERE job = :job"), {"job": job})
    return [args for (args,) in rows]


def test_the_step_that_follows_is_ordered_in_the_commit_before_it(ours: House):
    ours.paid(1)
    service.look()
    assert {"network": ours.name} in _ordered("treasury.sign")
    sweeping.sign(ours.name)
    (batch,) = ours.batches()
    assert _ordered("treasury.broadcast") == [{"batch_id": batch.id}]
    sweeping.broadcast(batch.id)
    sweeping.broadcast(batch.id)
    assert _ordered("treasury.confirm") == [{"batch_id": batch.id}]
    signs = len(_ordered("treasury.sign"))
    ours.world.finalise()
    assert sweeping.confirm(batch.id) is None
    assert len(_ordered("treasury.sign")) == signs + 1, "what is left goes on at once"


def test_a_death_before_the_bytes_are_stored_leaves_no_trace_but_the_plan(ours: House):
    given = ours.paid(2)
    sweeper = chains.sweeper(ours.name)
    honest = sweeper.sign

    def dies(*arguments: object) -> None:
        honest(*arguments)  # type: ignore[arg-type]
        raise SystemExit

    sweeper.sign = dies  # type: ignore[method-assign, assignment]
    with pytest.raises(SystemExit):
        sweeping.sign(ours.name)
    assert ours.batches() == []
    assert ours.states(*given) == ["PLANNED"] * 2
    sweeper.sign = honest  # type: ignore[method-assign]
    ours.go()
    assert ours.states(*given) == ["SWEPT"] * 2


def test_a_death_between_sending_and_noting_it_sends_the_same_bytes_again(
    ours: House, monkeypatch: pytest.MonkeyPatch
):
    given = ours.paid(2)
    sweeping.sign(ours.name)
    (batch,) = ours.batches()

    def dies(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(sweeping, "_move", dies)
        with pytest.raises(SystemExit):
            sweeping.broadcast(batch.id)
    assert ours.batches()[0].state == "SIGNED"
    ours.world.finalise()
    sweeping.broadcast(batch.id)
    ours.world.finalise()
    with monkeypatch.context() as dying:
        dying.setattr(sweeping, "_move", dies)
        with pytest.raises(SystemExit):
            sweeping.confirm(batch.id)
    assert ours.states(*given) == ["SIGNED"] * 2, "ends and batch are one commit"
    assert sweeping.confirm(batch.id) is None
    assert ours.states(*given) == ["SWEPT"] * 2
    assert len(ours.batches()) == 1


def test_two_who_sign_at_once_store_one_transaction(ours: House):
    given = ours.paid(2)
    sweeper = chains.sweeper(ours.name)
    read = sweeper.read_terms

    def while_another_signs(count: int) -> object:
        sweeper.read_terms = read  # type: ignore[method-assign]
        sweeping.sign(ours.name)
        return read(count)

    sweeper.read_terms = while_another_signs  # type: ignore[method-assign, assignment]
    sweeping.sign(ours.name)
    (batch,) = ours.batches()
    ours.finish(batch.id)
    assert ours.states(*given) == ["SWEPT"] * 2
    assert len(_ordered("treasury.broadcast")) == 1


def test_the_database_keeps_a_second_transaction_and_a_second_sweep_out(ours: House):
    ours.paid(1)
    sweeping.sign(ours.name)
    db.session.commit()
    again = {
        "uq_sweep_batches_open": "INSERT INTO sweep_batches (network, sender, raw, tx_hash, terms,"
        " state, created_at) SELECT network, sender, raw, 'another', terms, 'SENT', now()"
        " FROM sweep_batches",
        "uq_sweeps_open": "INSERT INTO sweeps (network, address, number, turn, amount_micro, state,"
        " refusals, created_at, looked_at) SELECT network, address, number, 2, 1, 'PLANNED', 0,"
        " now(), now() FROM sweeps",
    }
    for index, insertion in again.items():
        with pytest.raises(IntegrityError, match=index):
            db.session.execute(text(insertion))
        db.session.rollback()


def test_a_sweeps_amount_is_written_once(ours: House):
    ours.paid(1)
    sweeping.sign(ours.name)
    db.session.commit()
    with pytest.raises(ProgrammingError, match="permission denied"):
        db.session.execute(text("UPDATE sweeps SET amount_micro = 1"))
    db.session.rollback()


def test_what_is_small_goes_when_it_is_old_unless_it_is_dust(ours: House):
    small, dust = ours.addresses(2)
    ours.deposit((small, 600_000), (dust, 400_000))
    ours.go()
    assert ours.states() == []
    db.session.execute(text("UPDATE incoming SET final_at = final_at - interval '8 days'"))
    ours.go()
    assert ours.states(small) == ["SWEPT"]
    assert ours.states(dust) == []


def test_there_is_nothing_to_look_for_while_a_transaction_is_open(ours: House):
    ours.paid(1)
    sweeping.sign(ours.name)
    with nothing_changes():
        service.look()


def test_no_network_of_that_name_is_refused(ours: House):
    with nothing_changes(), pytest.raises(Invalid):
        service.ask("Bitcoin")


def test_a_sweep_touches_no_balance_and_custody_stays_what_is_on_chain(
    ours: House, alice: Actor, bob: Actor
):
    ours._fill(4)
    name, people = ours.name, (alice, bob)
    asked = [
        who.post("/client/deposit/crypto", {"network": name}).get_json()["deposit"]["address"]
        for who in people
    ]
    ours.deposit((asked[0], 30_000_000), (asked[1], 40_000_000))
    follow_all()
    balances = [who.available for who in people]
    assert balances == [Usdc(1_030_000_000), Usdc(40_000_000)]
    custody = ledger.balance(chart.custody(name))
    entries = db.session.scalar(text("SELECT count(*) FROM journal_entries"))
    there = ours.on_chain(asked)

    ours.go()

    assert ours.states(*asked) == ["SWEPT"] * 2
    follow_all()
    assert [who.available for who in people] == balances
    assert ledger.balance(chart.custody(name)) == custody
    assert db.session.scalar(text("SELECT count(*) FROM journal_entries")) == entries
    assert ours.on_chain(asked) == there
    assert [ours.world.usdc(at) for at in asked] == [0, 0]
    assert audit.findings() == []


def test_a_swept_deposit_that_is_not_credited_yet_is_credited(ours: House, alice: Actor):
    ours._fill(4)
    shown = alice.post("/client/deposit/crypto", {"network": ours.name}).get_json()["deposit"]
    ours.deposit((shown["address"], 30_000_000))
    ours.go()
    (row,) = ours.sweeps(shown["address"])
    incoming_id = db.session.scalar(
        text("SELECT id FROM incoming WHERE swept_by = :sweep"), {"sweep": row.id}
    )
    crypto.follow(incoming_id)
    crypto.follow(incoming_id)
    assert alice.available == Usdc(1_030_000_000)


def test_age_is_counted_from_finality(ours: House):
    (at,) = ours.paid(1, micro=600_000)
    with clock.frozen(clock.now() + timedelta(days=6, hours=23)):
        assert not service._has_work(ours.name)
    with clock.frozen(clock.now() + timedelta(days=7, seconds=5)):
        assert service._has_work(ours.name)
    assert ours.states(at) == []
