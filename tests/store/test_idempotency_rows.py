"""Keys as the store sees them: who holds one, and what joins an operation."""

from collections.abc import Callable
from contextvars import copy_context
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from protonpay.kernel import clock
from protonpay.kernel.errors import Conflict, Forbidden, Unavailable
from protonpay.store import idempotency, idempotency_rows, outbox
from protonpay.store.db import after_commit, db, release, transaction
from protonpay.store.idempotency import Answer, Operation
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse
from workers import maintenance

SAID = Answer(200, {"Content-Type": "application/json"}, b'{"a":1}\n', b'{"a":1}\n')


@pytest.fixture
def owner(open_house: OpenHouse) -> Actor:
    return make_actor(open_house.app, "Owner")


def operation(owner: Actor, key: str = "k") -> Operation:
    return Operation(owner.id, "POST", "/api/client/thing", key, b"f" * 32, "req_1")


def code(act: Callable[[], object]) -> str:
    with pytest.raises(Conflict) as refusal:
        act()
    return refusal.value.code


def states() -> list[str]:
    db.session.rollback()
    found = db.session.scalars(text("SELECT state FROM idempotency_keys ORDER BY key")).all()
    return list(found)


class TestAtOnce:
    def test_what_was_said_is_said_again(self, owner: Actor):
        told = []

        def act() -> Answer:
            told.append(1)
            return SAID

        assert idempotency.at_once(operation(owner), act) == SAID
        again = idempotency.at_once(replace(operation(owner), request_id="req_2"), act)
        assert again == replace(SAID, replay_of="req_1")
        assert told == [1]

    def test_who_comes_meanwhile_does_not_wait(self, open_house: OpenHouse, owner: Actor):
        def act() -> Answer:
            works = [lambda: idempotency.at_once(operation(owner), lambda: SAID)]
            (ended,) = open_house.inside_at_once(works)
            assert (ended.code, ended.retry_after) == ("idempotency_in_progress", 1)
            return SAID

        assert idempotency.at_once(operation(owner), act) == SAID

    def test_two_keys_of_one_number_cost_a_needless_wait_and_no_wrong_answer(
        self, open_house: OpenHouse, owner: Actor, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(Operation, "name", "all the same")
        other = replace(SAID, body=b'{"a":2}\n', public_body=b'{"a":2}\n')

        def act() -> Answer:
            works = [lambda: idempotency.at_once(operation(owner, "b"), lambda: other)]
            (ended,) = open_house.inside_at_once(works)
            assert ended.code == "idempotency_in_progress"
            return SAID

        idempotency.at_once(operation(owner, "a"), act)
        assert idempotency.at_once(operation(owner, "b"), lambda: other) == other
        assert idempotency.at_once(operation(owner, "a"), lambda: other).body == SAID.body

    def test_hooks_run_once_key_and_effect_stand(self, owner: Actor):
        seen: list[list[str]] = []

        def act() -> Answer:
            with transaction():
                after_commit(lambda: seen.append(states()))
            assert seen == []
            return SAID

        idempotency.at_once(operation(owner), act)
        assert seen == [["COMPLETED"]]

    def test_hooks_do_not_run_for_an_answer_that_was_not_kept(
        self, owner: Actor, monkeypatch: pytest.MonkeyPatch
    ):
        seen: list[str] = []

        def act() -> Answer:
            with transaction():
                after_commit(lambda: seen.append("rung"))
            return SAID

        def fails(*_: object) -> None:
            raise LookupError

        monkeypatch.setattr(idempotency_rows, "keep", fails)
        with pytest.raises(LookupError):
            idempotency.at_once(operation(owner), act)
        assert (seen, states()) == ([], [])

    def test_an_answer_that_is_no_success_is_not_kept(self, owner: Actor):
        refusal = replace(SAID, status=409)
        assert idempotency.at_once(operation(owner), lambda: refusal) == refusal
        assert states() == []

    @pytest.mark.parametrize("keyed", [True, False])
    def test_a_refusal_leaves_what_it_leaves_without_a_key(
        self,
        owner: Actor,
        keyed: bool,  # noqa: FBT001
    ):
        def count() -> None:
            with transaction():
                outbox.add("payouts.sign", payout_id="counted")

        def counted_then_refused() -> Answer:
            count()
            raise Forbidden("no", "No.")

        def refused_inside() -> Answer:
            with transaction():
                outbox.add("payouts.sign", payout_id="undone")
                raise Forbidden("no", "No.")

        def refused_inside_after_one_that_ended_well() -> Answer:
            with transaction():
                count()
                raise Forbidden("no", "No.")

        for act in (
            *(counted_then_refused, refused_inside),
            refused_inside_after_one_that_ended_well,
        ):
            with pytest.raises(Forbidden):
                idempotency.at_once(operation(owner), act) if keyed else act()
        db.session.rollback()
        rows = db.session.scalars(
            text("SELECT args ->> 'payout_id' FROM outbox WHERE job = 'payouts.sign'")
        ).all()
        assert (list(rows), states()) == (["counted"], [])

    def test_what_belongs_to_it_is_forgotten_at_its_end(self, owner: Actor):
        keys: list[str | None] = []

        def act() -> Answer:
            keys.append(idempotency.key())
            return SAID

        idempotency.at_once(operation(owner), act)
        assert keys == ["POST /api/client/thing k"]
        assert (idempotency.key(), idempotency.resumed()) == (None, None)


def _begin(resource: str = "r-1") -> None:
    with transaction():
        idempotency.begin(resource)


class TestInSteps:
    def test_step_by_step(self, owner: Actor):
        passed: list[list[str]] = []

        def act() -> Answer:
            assert idempotency.resumed() is None
            _begin()
            passed.append(states())
            with transaction():
                idempotency.advance()
            passed.append(states())
            return SAID

        assert idempotency.in_steps(operation(owner), act) == SAID
        assert [*passed, states()] == [["STARTED"], ["PROVIDER_CALLED"], ["COMPLETED"]]

    def test_its_connection_may_be_given_back_between_the_steps(self, owner: Actor):
        def act() -> Answer:
            _begin()
            release()
            assert db.engine.pool.checkedout() == 0
            with transaction():
                idempotency.advance()
            assert states() == ["PROVIDER_CALLED"]
            return SAID

        assert idempotency.in_steps(operation(owner), act) == SAID

    def test_a_retry_goes_on_at_once_with_what_was_made(self, owner: Actor):
        def fails() -> Answer:
            _begin()
            raise Unavailable("provider_unavailable", "No answer.")

        def goes_on() -> Answer:
            assert idempotency.resumed() == "r-1"
            return SAID

        with pytest.raises(Unavailable):
            idempotency.in_steps(operation(owner), fails)
        assert idempotency.in_steps(operation(owner), goes_on) == SAID

    def test_to_forget_to_begin_is_a_bug_and_found_at_once(self, owner: Actor):
        with pytest.raises(RuntimeError, match="begins with"):
            idempotency.in_steps(operation(owner), lambda: SAID)

    def test_who_begins_second_undoes_what_it_made(self, open_house: OpenHouse, owner: Actor):
        def second() -> Answer:
            with transaction():
                idempotency.begin("r-2")
            return SAID

        def first() -> Answer:
            _begin()
            return SAID

        def late() -> Answer:
            # The first came and went between our look and our beginning.
            (done,) = open_house.inside_at_once(
                [lambda: idempotency.in_steps(operation(owner), first)]
            )
            assert done == SAID
            return second()

        assert code(lambda: idempotency.in_steps(operation(owner), late)) == (
            "idempotency_in_progress"
        )

    def test_an_unbound_key_is_free(self, owner: Actor):
        def declined() -> Answer:
            _begin()
            with transaction():
                idempotency.unbind()
            raise Unavailable("provider_unavailable", "No.")

        with pytest.raises(Unavailable):
            idempotency.in_steps(operation(owner), declined)
        assert states() == []

    def test_the_time_of_a_silent_holder_passes(self, owner: Actor):
        def dies() -> Answer:
            _begin()
            now = clock.now()
            with clock.frozen(now + timedelta(seconds=74)):
                again = operation(owner)
                assert code(lambda: _elsewhere(again)) == "idempotency_in_progress"
            with clock.frozen(now + timedelta(seconds=76)):
                assert _elsewhere(operation(owner)) == SAID
            return SAID

        assert code(lambda: idempotency.in_steps(operation(owner), dies)) == (
            "idempotency_in_progress"
        )
        assert states() == ["COMPLETED"]

    def test_who_was_overtaken_changes_nothing_while_the_next_is_at_work(self, owner: Actor):
        def overtaken() -> Answer:
            _begin()
            ours = copy_context()

            def next_one() -> Answer:
                for step in (idempotency.advance, idempotency.unbind):
                    assert code(lambda: ours.run(_joined, step)) == "idempotency_in_progress"  # noqa: B023
                assert states() == ["STARTED"]
                return SAID

            with clock.frozen(clock.now() + timedelta(seconds=76)):
                assert _elsewhere(operation(owner), next_one) == SAID
            return replace(SAID, body=b"late", public_body=b"late")

        assert code(lambda: idempotency.in_steps(operation(owner), overtaken)) == (
            "idempotency_in_progress"
        )
        assert idempotency.in_steps(operation(owner), overtaken).body == SAID.body


def _joined(step: Callable[[], None]) -> None:
    with transaction():
        step()


def _elsewhere(same: Operation, act: Callable[[], Answer] = lambda: SAID) -> Answer:
    # A request of its own, which knows nothing of ours.
    context = copy_context()
    context.run(idempotency._current.set, None)
    return context.run(idempotency.in_steps, same, act)


def test_the_round_reaps_until_nothing_is_left(
    owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = replace(SAID, public_body=b'{"a":null}\n')
    for number in range(5):
        idempotency.at_once(operation(owner, f"k-{number}"), lambda: sealed)
    monkeypatch.setattr(maintenance, "_KEYS", 2)
    now = clock.now()

    with clock.frozen(now + timedelta(minutes=20)):
        maintenance.reap_keys()
    db.session.rollback()
    assert db.session.scalar(text("SELECT count(sealed_body) FROM idempotency_keys")) == 0
    assert len(states()) == 5

    with clock.frozen(now + timedelta(hours=73)):
        maintenance.reap_keys()
    assert states() == []
