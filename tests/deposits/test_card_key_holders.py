"""Who holds the key of a card session; others wait, and take over (API reference §5.3)."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug.test import TestResponse

from protonpay.deposits import ordering
from tests.actors import Actor
from tests.committed import OpenHouse
from tests.deposits.keyed import Seller, deposits, instead, is_replay, key_row, let_pass
from tests.refusals import refused
from tests.unchanged import nothing_changes

pytestmark = pytest.mark.slow


class TestWhileItIsAsked:
    def test_a_duplicate_is_told_to_wait(
        self, payer: Actor, seller: Seller, monkeypatch: pytest.MonkeyPatch
    ):
        asked, go_on = threading.Event(), threading.Event()

        def wait(ask: Callable[[], Any]) -> Any:
            asked.set()
            assert go_on.wait(30)
            return ask()

        instead(monkeypatch, wait)
        with ThreadPoolExecutor(1) as thread:
            first = thread.submit(seller.pay, payer)
            assert asked.wait(30)
            for _ in range(2):
                with nothing_changes():
                    again = seller.pay(payer)
                refused(again, 409, "idempotency_in_progress")
                assert again.headers["Retry-After"] == "1"
            refused(seller.pay(payer, amount=7), 409, "idempotency_key_reused")
            go_on.set()
            done = first.result()

        assert done.status_code == 200
        assert is_replay(seller.pay(payer), done)
        assert len(deposits(payer)) == 1

    def test_of_forty_at_once_one_asks_the_provider(
        self, open_house: OpenHouse, payer: Actor, seller: Seller
    ):
        answers = open_house.at_once([lambda: seller.pay(payer)] * 40)

        kinds: Counter[str] = Counter()
        for answer in answers:
            replayed = "replayed" if "Idempotent-Replayed" in answer.headers else "first"
            kinds[replayed if answer.status_code == 200 else answer.get_json()["code"]] += 1
        assert kinds["first"] == 1
        assert set(kinds) <= {"first", "replayed", "idempotency_in_progress"}
        (deposit,) = deposits(payer)
        assert len(seller.sessions_of(deposit)) == 1
        assert len({answer.get_data() for answer in answers if answer.status_code == 200}) == 1


class TestTheHolderIsGone:
    """Whoever held the key died without a word: it is free when its time is over."""

    def _die(self, payer: Actor, seller: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
        def die(_ask: Callable[[], Any]) -> Any:
            raise SystemExit

        with monkeypatch.context() as dying:
            dying.setattr("protonpay.store.idempotency_rows.let_go", lambda _: None)
            instead(dying, die)
            with pytest.raises(SystemExit):
                seller.pay(payer)

    def test_until_then_others_wait_and_then_one_goes_on(
        self, payer: Actor, seller: Seller, monkeypatch: pytest.MonkeyPatch
    ):
        self._die(payer, seller, monkeypatch)
        (begun,) = deposits(payer)
        with nothing_changes():
            refused(seller.pay(payer), 409, "idempotency_in_progress")

        let_pass(seconds=75)
        answer = seller.pay(payer)

        assert answer.status_code == 200
        (deposit,) = deposits(payer)
        assert deposit.id == begun.id
        assert len(seller.sessions_of(deposit)) == 1

    def test_of_many_who_take_over_one_does(
        self,
        open_house: OpenHouse,
        payer: Actor,
        seller: Seller,
        monkeypatch: pytest.MonkeyPatch,
    ):
        self._die(payer, seller, monkeypatch)
        let_pass(seconds=75)

        answers = open_house.at_once([lambda: seller.pay(payer)] * 8)

        firsts = [
            answer
            for answer in answers
            if answer.status_code == 200 and "Idempotent-Replayed" not in answer.headers
        ]
        assert len(firsts) == 1
        (deposit,) = deposits(payer)
        assert len(seller.sessions_of(deposit)) == 1

    def test_who_comes_back_late_changes_nothing(
        self, payer: Actor, seller: Seller, monkeypatch: pytest.MonkeyPatch
    ):
        told: list[TestResponse] = []

        def be_late(ask: Callable[[], Any]) -> Any:
            found = ask()
            let_pass(seconds=75)
            with ThreadPoolExecutor(1) as thread:
                told.append(thread.submit(seller.pay, payer).result())
            return found

        instead(monkeypatch, be_late)
        late = seller.pay(payer)

        refused(late, 409, "idempotency_in_progress")
        (deposit,) = deposits(payer)
        assert told[0].get_json()["url"] == deposit.page_url
        assert len(seller.sessions_of(deposit)) == 1
        assert is_replay(seller.pay(payer), told[0])

    def test_who_comes_back_late_with_a_no_undoes_nothing(
        self, payer: Actor, seller: Seller, monkeypatch: pytest.MonkeyPatch
    ):
        told: list[TestResponse] = []

        def be_refused_late(ask: Callable[[], Any]) -> Any:
            let_pass(seconds=75)
            with ThreadPoolExecutor(1) as thread:
                told.append(thread.submit(seller.pay, payer).result())
            raise ordering.Rejected("tap: no")

        instead(monkeypatch, be_refused_late)
        refused(seller.pay(payer), 409, "idempotency_in_progress")

        (deposit,) = deposits(payer)
        assert (deposit.state, deposit.page_url) == ("PENDING", told[0].get_json()["url"])
        assert is_replay(seller.pay(payer), told[0])

    def test_it_died_between_the_providers_answer_and_ours(
        self, payer: Actor, seller: Seller, monkeypatch: pytest.MonkeyPatch
    ):
        def die(*_: object) -> None:
            raise SystemExit

        with monkeypatch.context() as dying:
            dying.setattr("protonpay.store.idempotency_rows.complete", die)
            dying.setattr("protonpay.store.idempotency_rows.let_go", lambda _: None)
            with pytest.raises(SystemExit):
                seller.pay(payer)
        assert key_row().state == "PROVIDER_CALLED"
        let_pass(seconds=75)
        seller.pull("faults", fault="reset", call="create")

        answer = seller.pay(payer)

        (deposit,) = deposits(payer)
        assert answer.get_json()["url"] == deposit.page_url
        assert [fault["fault"] for fault in seller.look("faults")] == ["reset"]
        assert is_replay(seller.pay(payer), answer)
