"""A card session under a key, with a provider in the middle (API reference §5.3)."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from config import Config
from protonpay.cards.registry import card_providers
from protonpay.deposits import service
from protonpay.deposits.models import Deposit
from protonpay.kernel import clock
from protonpay.store import idempotency
from protonpay.store.db import db
from protonpay.store.outbox import OutboxRow
from tests.actors import Actor, make_actor
from tests.committed import OpenHouse, open_house  # noqa: F401 - a fixture
from tests.refusals import refused
from tests.simulators import Simulator, running
from tests.unchanged import nothing_changes, only_changes

pytestmark = pytest.mark.slow

KEY = "sk_test_PROTONPAYkeyed"
ORDER = {"amount": 100, "currency": "usd", "provider": "tap"}
PATIENCE = 0.5


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running("protonpay.sandbox.tap", "--secret-key", KEY) as sim:
        yield sim


@pytest.fixture
def tap(app: Flask, settings: dict[str, str], simulator: Simulator) -> Iterator[Simulator]:
    """A provider that is waited for half a second."""
    made_with = {"base_url": f"{simulator.url}/v2", "secret_key": KEY, "create_seconds": PATIENCE}
    card_providers.bind({"tap": made_with}, live=False)
    yield simulator
    simulator.forget_faults()
    card_providers.bind(Config.load(settings).card_providers(), live=False)


@pytest.fixture
def payer(open_house: OpenHouse) -> Actor:  # noqa: F811
    return make_actor(open_house.app, "Payer")


def pay(actor: Actor, key: str = "k-1", **changes: Any) -> TestResponse:
    headers = {"Idempotency-Key": key}
    return actor.post("/client/deposit/card", {**ORDER, **changes}, headers=headers)


def deposits(actor: Actor) -> list[Deposit]:
    db.session.rollback()
    mine = db.session.query(Deposit).filter_by(user_id=actor.id).order_by(Deposit.id)
    return mine.populate_existing().all()


def sessions_of(tap: Simulator, deposit: Deposit) -> list[Any]:
    """The provider's sessions that belong to a deposit."""
    return [one for one in tap.look("payments") if deposit.id in str(one)]


def key_row() -> Any:
    db.session.rollback()
    columns = "state, lock_token, locked_until, resource_id, status FROM idempotency_keys"
    return db.session.execute(text(f"SELECT {columns}")).one_or_none()


def is_replay(answer: TestResponse, first: TestResponse) -> bool:
    if "Idempotent-Replayed" not in answer.headers:
        return False
    assert answer.headers["X-Original-Request-Id"] == first.headers["X-Request-Id"]
    assert answer.get_data() == first.get_data()
    return True


def _instead(monkeypatch: pytest.MonkeyPatch, act: Callable[[Callable[[], Any]], Any]) -> None:
    """Stand around the next call of the provider, and only that one."""
    ask = service._ask_for_page

    def between(*arguments: Any) -> Any:
        monkeypatch.setattr(service, "_ask_for_page", ask)
        return act(lambda: ask(*arguments))

    monkeypatch.setattr(service, "_ask_for_page", between)


class TestAllIsWell:
    def test_one_deposit_one_session_one_answer(self, payer: Actor, tap: Simulator):
        with only_changes("deposits", "outbox", "idempotency_keys"):
            first = pay(payer)
        assert first.status_code == 200
        with nothing_changes():
            second = pay(payer)

        assert is_replay(second, first)
        (deposit,) = deposits(payer)
        assert len(sessions_of(tap, deposit)) == 1
        row = key_row()
        assert (row.state, row.lock_token, row.locked_until) == ("COMPLETED", None, None)
        assert row.resource_id == deposit.id == first.get_json()["deposit"]["id"]

    def test_an_amount_in_another_writing_is_the_same(self, payer: Actor, tap: Simulator):
        first = pay(payer)
        for again in ({"amount": "100"}, {"amount": "100.00"}, {"currency": "USD"}):
            assert is_replay(pay(payer, **again), first)
        assert len(deposits(payer)) == 1

    def test_another_order_under_the_key_is_refused(self, payer: Actor, tap: Simulator):
        pay(payer)
        for other in ({"amount": 101}, {"currency": "aed"}):
            with nothing_changes():
                refused(pay(payer, **other), 409, "idempotency_key_reused")

    def test_without_a_key_two_are_two_and_no_key_is_kept(self, payer: Actor, tap: Simulator):
        for _ in range(2):
            with only_changes("deposits", "outbox"):
                assert payer.post("/client/deposit/card", ORDER).status_code == 200
        assert len(deposits(payer)) == 2

    def test_a_refusal_before_anything_was_made_leaves_the_key_free(
        self, payer: Actor, tap: Simulator
    ):
        with nothing_changes():
            refused(pay(payer, amount="0.001"), 400, "invalid_amount")
            refused(pay(payer, currency="rub"), 400, "unsupported_currency")
        assert pay(payer).status_code == 200


class TestTheProviderHangs:
    @pytest.mark.checklist(68)
    def test_a_retry_goes_on_with_the_same_deposit(self, payer: Actor, tap: Simulator):
        tap.pull("faults", fault="hang", call="create", seconds=PATIENCE * 3)
        with only_changes("deposits", "outbox", "idempotency_keys"):
            answer = pay(payer)
        refused(answer, 503, "provider_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        (begun,) = deposits(payer)
        assert (begun.state, begun.page_url) == ("PENDING", None)
        assert (key_row().state, key_row().resource_id) == ("STARTED", begun.id)

        with only_changes("deposits", "idempotency_keys"):
            second = pay(payer)

        assert (second.status_code, "Idempotent-Replayed" in second.headers) == (200, False)
        (deposit,) = deposits(payer)
        assert deposit.id == begun.id == second.get_json()["deposit"]["id"]
        assert len(sessions_of(tap, deposit)) == 1
        assert is_replay(pay(payer), second)
        assert db.session.query(OutboxRow).filter_by(job="deposits.card_check").count() == 1

    @pytest.mark.checklist(68)
    @pytest.mark.parametrize("fault", ["accept_then_drop", "truncate", "unreadable"])
    def test_a_session_was_made_and_nobody_heard_of_it(
        self, payer: Actor, tap: Simulator, fault: str
    ):
        tap.pull("faults", fault=fault, call="create")
        refused(pay(payer), 503, "provider_unavailable")

        second = pay(payer)

        (deposit,) = deposits(payer)
        (session,) = sessions_of(tap, deposit)
        assert deposit.provider_ref == session["id"]
        assert second.get_json()["url"] == deposit.page_url
        assert is_replay(pay(payer), second)

    @pytest.mark.checklist(68)
    @pytest.mark.parametrize("fault", ["status", "html", "reset"])
    def test_it_is_ill_again_and_again(self, payer: Actor, tap: Simulator, fault: str):
        tap.pull("faults", fault=fault, call="create", times=3)
        for _ in range(3):
            refused(pay(payer), 503, "provider_unavailable")
        assert pay(payer).status_code == 200
        (deposit,) = deposits(payer)
        assert len(sessions_of(tap, deposit)) == 1

    def test_another_order_is_refused_meanwhile(self, payer: Actor, tap: Simulator):
        tap.pull("faults", fault="reset", call="create")
        refused(pay(payer), 503, "provider_unavailable")
        with nothing_changes():
            refused(pay(payer, amount=7), 409, "idempotency_key_reused")

    def test_a_deposit_that_has_ended_is_not_gone_on_with(self, payer: Actor, tap: Simulator):
        tap.pull("faults", fault="reset", call="create")
        refused(pay(payer), 503, "provider_unavailable")
        db.session.execute(text("UPDATE deposits SET state = 'EXPIRED'"))
        db.session.commit()

        refused(pay(payer), 409, "state_conflict")

        (deposit,) = deposits(payer)
        assert sessions_of(tap, deposit) == []


class TestTheProviderDeclines:
    def test_the_deposit_fails_and_the_key_is_free_again(self, payer: Actor, tap: Simulator):
        tap.pull("faults", fault="status", call="create", status=400)
        with only_changes("deposits", "outbox"):
            refused(pay(payer), 400, "payment_rejected")
        (declined,) = deposits(payer)
        assert (declined.state, declined.idempotency_key) == ("FAILED", None)

        answer = pay(payer)

        assert answer.status_code == 200
        old, new = deposits(payer)
        assert (old.state, new.state) == ("FAILED", "PENDING")
        assert sessions_of(tap, old) == []
        assert is_replay(pay(payer), answer)

    def test_after_it_hung_first(self, payer: Actor, tap: Simulator):
        tap.pull("faults", fault="reset", call="create")
        refused(pay(payer), 503, "provider_unavailable")
        tap.pull("faults", fault="status", call="create", status=400)

        with only_changes("deposits", "idempotency_keys"):
            refused(pay(payer), 400, "payment_rejected")

        (deposit,) = deposits(payer)
        assert (deposit.state, key_row()) == ("FAILED", None)


class TestWhileItIsAsked:
    def test_a_duplicate_is_told_to_wait(
        self, payer: Actor, tap: Simulator, monkeypatch: pytest.MonkeyPatch
    ):
        asked, go_on = threading.Event(), threading.Event()

        def wait(ask: Callable[[], Any]) -> Any:
            asked.set()
            assert go_on.wait(30)
            return ask()

        _instead(monkeypatch, wait)
        with ThreadPoolExecutor(1) as thread:
            first = thread.submit(pay, payer)
            assert asked.wait(30)
            for _ in range(2):
                with nothing_changes():
                    again = pay(payer)
                refused(again, 409, "idempotency_in_progress")
                assert again.headers["Retry-After"] == "1"
            refused(pay(payer, amount=7), 409, "idempotency_key_reused")
            go_on.set()
            done = first.result()

        assert done.status_code == 200
        assert is_replay(pay(payer), done)
        assert len(deposits(payer)) == 1

    def test_of_forty_at_once_one_asks_the_provider(
        self,
        open_house: OpenHouse,  # noqa: F811
        payer: Actor,
        tap: Simulator,
    ):
        answers = open_house.at_once([lambda: pay(payer)] * 40)

        kinds: Counter[str] = Counter()
        for answer in answers:
            replayed = "replayed" if "Idempotent-Replayed" in answer.headers else "first"
            kinds[replayed if answer.status_code == 200 else answer.get_json()["code"]] += 1
        assert kinds["first"] == 1
        assert set(kinds) <= {"first", "replayed", "idempotency_in_progress"}
        (deposit,) = deposits(payer)
        assert len(sessions_of(tap, deposit)) == 1
        assert len({answer.get_data() for answer in answers if answer.status_code == 200}) == 1


class TestTheHolderIsGone:
    """Whoever held the key died without a word: it is free when its time is over."""

    def _die(self, payer: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
        def die(_ask: Callable[[], Any]) -> Any:
            raise SystemExit

        with monkeypatch.context() as dying:
            dying.setattr("protonpay.store.idempotency_rows.let_go", lambda _: None)
            _instead(dying, die)
            with pytest.raises(SystemExit):
                pay(payer)

    def test_until_then_others_wait_and_then_one_goes_on(
        self, payer: Actor, tap: Simulator, monkeypatch: pytest.MonkeyPatch
    ):
        self._die(payer, monkeypatch)
        (begun,) = deposits(payer)
        with nothing_changes():
            refused(pay(payer), 409, "idempotency_in_progress")

        _pass(seconds=75)
        answer = pay(payer)

        assert answer.status_code == 200
        (deposit,) = deposits(payer)
        assert deposit.id == begun.id
        assert len(sessions_of(tap, deposit)) == 1

    def test_of_many_who_take_over_one_does(
        self,
        open_house: OpenHouse,  # noqa: F811
        payer: Actor,
        tap: Simulator,
        monkeypatch: pytest.MonkeyPatch,
    ):
        self._die(payer, monkeypatch)
        _pass(seconds=75)

        answers = open_house.at_once([lambda: pay(payer)] * 8)

        firsts = [
            answer
            for answer in answers
            if answer.status_code == 200 and "Idempotent-Replayed" not in answer.headers
        ]
        assert len(firsts) == 1
        (deposit,) = deposits(payer)
        assert len(sessions_of(tap, deposit)) == 1

    def test_who_comes_back_late_changes_nothing(
        self, payer: Actor, tap: Simulator, monkeypatch: pytest.MonkeyPatch
    ):
        told: list[TestResponse] = []

        def be_late(ask: Callable[[], Any]) -> Any:
            found = ask()
            _pass(seconds=75)
            with ThreadPoolExecutor(1) as thread:
                told.append(thread.submit(pay, payer).result())
            return found

        _instead(monkeypatch, be_late)
        late = pay(payer)

        refused(late, 409, "idempotency_in_progress")
        (deposit,) = deposits(payer)
        assert told[0].get_json()["url"] == deposit.page_url
        assert len(sessions_of(tap, deposit)) == 1
        assert is_replay(pay(payer), told[0])

    def test_who_comes_back_late_with_a_no_undoes_nothing(
        self, payer: Actor, tap: Simulator, monkeypatch: pytest.MonkeyPatch
    ):
        told: list[TestResponse] = []

        def be_refused_late(ask: Callable[[], Any]) -> Any:
            _pass(seconds=75)
            with ThreadPoolExecutor(1) as thread:
                told.append(thread.submit(pay, payer).result())
            raise service.Rejected("tap: no")

        _instead(monkeypatch, be_refused_late)
        refused(pay(payer), 409, "idempotency_in_progress")

        (deposit,) = deposits(payer)
        assert (deposit.state, deposit.page_url) == ("PENDING", told[0].get_json()["url"])
        assert is_replay(pay(payer), told[0])

    def test_it_died_between_the_providers_answer_and_ours(
        self, payer: Actor, tap: Simulator, monkeypatch: pytest.MonkeyPatch
    ):
        def die(*_: object) -> None:
            raise SystemExit

        with monkeypatch.context() as dying:
            dying.setattr("protonpay.store.idempotency_rows.complete", die)
            dying.setattr("protonpay.store.idempotency_rows.let_go", lambda _: None)
            with pytest.raises(SystemExit):
                pay(payer)
        assert key_row().state == "PROVIDER_CALLED"
        _pass(seconds=75)
        tap.pull("faults", fault="reset", call="create")

        answer = pay(payer)

        (deposit,) = deposits(payer)
        assert answer.get_json()["url"] == deposit.page_url
        assert [fault["fault"] for fault in tap.look("faults")] == ["reset"]
        assert is_replay(pay(payer), answer)


def _pass(*, seconds: int) -> None:
    """Let the time of whoever holds a key pass."""
    earlier = "UPDATE idempotency_keys SET locked_until = locked_until - make_interval(secs => :s)"
    with db.engine.begin() as connection:
        connection.execute(text(earlier), {"s": seconds})


def test_a_key_that_was_forgotten_makes_no_second_deposit(payer: Actor, tap: Simulator):
    pay(payer)
    with clock.frozen(clock.now() + timedelta(hours=73)):
        assert idempotency.reap() == 1
    with nothing_changes():
        refused(pay(payer), 409, "idempotency_key_reused")
    (deposit,) = deposits(payer)
    assert len(sessions_of(tap, deposit)) == 1
