"""``Idempotency-Key`` on what needs nobody outside (API reference §5.1, §5.2)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.payouts.models import Payout
from protonpay.plans import service as plans
from protonpay.store.db import db
from protonpay.web import tokens
from tests.actors import PASSWORD, Actor
from tests.plans.of_a_kind import on_plan
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes
from tests.web.keyed import HOOK, MOVED, is_replay, keyed, send, withdraw


class TestTheSameAgain:
    def test_a_transfer_is_done_once_and_told_twice(self, alice: Actor, bob: Actor):
        with only_changes(*MOVED, "idempotency_keys"):
            first = send(alice, bob)
        assert first.status_code == 200
        assert not is_replay(first, first)

        with nothing_changes():
            second = send(alice, bob)

        assert is_replay(second, first)
        assert second.get_data() == first.get_data()
        assert (alice.available, bob.available) == (Usdc.parse("975"), Usdc.parse("25"))

    @pytest.mark.checklist(74)
    def test_a_withdrawal_too_and_no_cooldown_stands_in_the_way(self, alice: Actor):
        first = withdraw(alice)
        with nothing_changes():
            second = withdraw(alice)

        assert is_replay(second, first)
        assert second.get_data() == first.get_data()
        assert db.session.query(Payout).count() == 1
        assert alice.held == Usdc.parse("50.05")

    def test_the_answer_is_what_was_said_then_whatever_happened_since(
        self, alice: Actor, bob: Actor
    ):
        first = send(alice, bob)
        send(alice, bob, 100, key="k-2")

        assert send(alice, bob).get_json()["newBalance"] == first.get_json()["newBalance"]

    def test_without_the_header_two_are_two(self, alice: Actor, bob: Actor):
        body = {"toIdentifier": bob.public_id, "amount": 25}
        with only_changes(*MOVED):
            first = alice.post("/client/transfer", body)
        second = alice.post("/client/transfer", body)

        assert first.get_json()["transfer"]["id"] != second.get_json()["transfer"]["id"]
        assert bob.available == Usdc.parse("50")

    def test_the_first_answer_is_the_one_without_a_key(self, alice: Actor, bob: Actor):
        plain = alice.post("/client/transfer", {"toIdentifier": bob.public_id, "amount": 1})
        under = send(alice, bob, 1)

        changing = {"X-Request-Id", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit"}
        assert set(plain.headers.keys()) == set(under.headers.keys())
        for name in set(plain.headers.keys()) - changing:
            assert plain.headers[name] == under.headers[name], name
        assert plain.get_data()[-2:] == under.get_data()[-2:] == b"}\n"

    def test_another_credential_of_the_account_is_the_same_caller(self, alice: Actor, bob: Actor):
        first = send(alice, bob)
        login = {"email": alice.email, "password": PASSWORD}
        token = alice.client.post("/api/auth/login", json=login).get_json()["token"]
        assert tokens.read_access(token).session_id != tokens.read_access(alice.token).session_id

        again = keyed(
            alice,
            "/client/transfer",
            {"toIdentifier": bob.public_id, "amount": 25},
            Authorization=f"Bearer {token}",
        )

        assert is_replay(again, first)

    def test_a_replay_is_counted_and_tells_the_window(self, alice: Actor, bob: Actor):
        first, second = send(alice, bob), send(alice, bob)
        left = [int(answer.headers["X-RateLimit-Remaining"]) for answer in (first, second)]
        assert left[1] == left[0] - 1


class TestWhatIsTheSame:
    @pytest.mark.parametrize("form", ["{}", '"{}"'], ids=["number", "text"])
    @pytest.mark.parametrize("written", ["25", "25.0", "25.00", "25.000000"])
    def test_an_amount_in_another_writing(self, alice: Actor, bob: Actor, written: str, form: str):
        first = send(alice, bob, 25)
        body = json.dumps({"amount": "?", "toIdentifier": bob.public_id})
        body = body.replace('"?"', form.format(written))

        again = alice.call(
            "POST",
            "/client/transfer",
            data=body,
            content_type="application/json",
            headers={"Idempotency-Key": "k-1"},
        )

        assert is_replay(again, first)
        assert bob.available == Usdc.parse("25")

    def test_a_note_that_is_null_or_left_out(self, alice: Actor, bob: Actor):
        assert is_replay(send(alice, bob, note=None), send(alice, bob)) is False
        assert "Idempotent-Replayed" in send(alice, bob, note=None).headers

    @pytest.mark.parametrize("other", [{"amount": 26}, {"amount": "25.000001"}, {"note": "x"}])
    def test_another_order_under_the_key_is_refused(
        self, alice: Actor, bob: Actor, other: dict[str, Any]
    ):
        send(alice, bob)
        with nothing_changes():
            refused(send(alice, bob, **other), 409, "idempotency_key_reused")
        assert "Idempotent-Replayed" in send(alice, bob).headers

    def test_another_receiver_is_another_order(self, alice: Actor, bob: Actor, mallory: Actor):
        send(alice, bob)
        with nothing_changes():
            refused(send(alice, mallory), 409, "idempotency_key_reused")

    @pytest.mark.checklist(74)
    def test_another_amount_of_a_withdrawal(self, alice: Actor):
        withdraw(alice)
        with nothing_changes():
            refused(withdraw(alice, 51), 409, "idempotency_key_reused")

    def test_the_key_on_another_route_is_another_key(self, alice: Actor, bob: Actor):
        assert send(alice, bob).status_code == 200
        assert not is_replay(withdraw(alice), send(alice, bob))
        assert not is_replay(keyed(alice, "/client/webhooks", HOOK), send(alice, bob))
        assert alice.held == Usdc.parse("50.05")

    def test_the_key_of_another_account_is_another_key(
        self, alice: Actor, bob: Actor, mallory: Actor
    ):
        first = send(alice, bob, 1)
        answer = send(mallory, bob, 1)

        assert not is_replay(answer, first)
        assert answer.get_json()["newBalance"] == "4.00"
        assert bob.available == Usdc.parse("2")

    def test_case_matters(self, alice: Actor, bob: Actor):
        assert not is_replay(send(alice, bob, key="A"), send(alice, bob, key="a"))


class TestTheHeader:
    @pytest.mark.parametrize(
        "given",
        [
            *(
                "a",
                "8e03978e-40d5-43dd-bc93-6894a57f9324",
                "x" * 255,
                "!#$%&'()*+-./:;<=>?@[]^_`{|}~",
            ),
            *('"8e03978e"', '"with,comma"', '"' + "x" * 255 + '"'),
        ],
    )
    def test_a_good_one(self, alice: Actor, bob: Actor, given: str):
        first = send(alice, bob, key=given)
        assert first.status_code == 200
        assert is_replay(send(alice, bob, key=given), first)

    def test_quoted_and_bare_are_the_same_key(self, alice: Actor, bob: Actor):
        assert is_replay(send(alice, bob, key='"k-1"'), send(alice, bob, key="k-1")) is False
        assert "Idempotent-Replayed" in send(alice, bob, key='"k-1"').headers

    @pytest.mark.parametrize(
        "given",
        [
            *("", '""', "x" * 256, '"' + "x" * 256 + '"', "a b", '"a b"', "schlüssel", "a\\b"),
            *("a,b", "k-1,k-1", '"a","b"', '"a', 'a"', '"a";p=1', "a\tb", "\x7f", '"'),
        ],
    )
    def test_a_bad_one_is_refused_before_anything_happens(
        self, alice: Actor, bob: Actor, given: str
    ):
        with nothing_changes():
            refused(send(alice, bob, key=given), 400, "invalid_idempotency_key")

    def test_it_is_read_before_the_body(self, alice: Actor):
        answer = keyed(alice, "/client/transfer", {"nonsense": 1}, key="a b")
        refused(answer, 400, "invalid_idempotency_key")

    def test_who_asks_comes_before_it(self, alice: Actor):
        headers = {"Idempotency-Key": "a b", "Authorization": "Bearer nonsense"}
        refused(alice.post("/client/transfer", {}, headers=headers), 401, "invalid_token")

    def test_other_methods_and_areas_ignore_it(self, alice: Actor):
        bad = {"Idempotency-Key": "a b"}
        assert alice.get("/client/balance", headers=bad).status_code == 200
        login = {"email": alice.email, "password": PASSWORD}
        answer = alice.client.post("/api/auth/login", json=login, headers=bad)
        assert answer.status_code == 200


class TestARefusalLeavesTheKeyFree:
    def test_a_bad_body(self, alice: Actor, bob: Actor):
        with nothing_changes():
            refused(send(alice, bob, "much"), 400, "validation_error")
        assert send(alice, bob).status_code == 200

    def test_too_little_money(self, alice: Actor, bob: Actor, mallory: Actor):
        with nothing_changes():
            refused(send(mallory, bob, 10), 400, "insufficient_balance")
        assert send(alice, mallory, 10).status_code == 200
        answer = send(mallory, bob, 10)
        assert (answer.status_code, "Idempotent-Replayed" in answer.headers) == (200, False)

    def test_nobody_there(self, alice: Actor):
        body = {"toIdentifier": "nobody@example.com", "amount": 1}
        for _ in range(2):
            with nothing_changes():
                refused(keyed(alice, "/client/transfer", body), 404, "recipient_not_found")

    def test_no_session(self, alice: Actor, bob: Actor):
        body = {"toIdentifier": bob.public_id, "amount": 25}
        with nothing_changes():
            answer = keyed(alice, "/client/transfer", body, Authorization="Bearer nonsense")
            refused(answer, 401, "invalid_token")
        assert "Idempotent-Replayed" not in send(alice, bob).headers

    def test_a_limit_of_the_plan(self, alice: Actor):
        on_plan(alice, single_limit_micro=10_000_000)
        with nothing_changes():
            refused(withdraw(alice), 403, "plan_limit_exceeded")
        db.session.execute(text("UPDATE plans SET single_limit_micro = 100000000"))
        plans.forget()
        assert withdraw(alice).status_code == 200

    def test_the_cooldown(self, alice: Actor):
        now = clock.now()
        with clock.frozen(now):
            withdraw(alice, key="k-1")
            with nothing_changes():
                refused(withdraw(alice, key="k-2"), 409, "withdrawal_cooldown")
        with clock.frozen(now + timedelta(seconds=60)):
            answer = withdraw(alice, key="k-2")
        assert (answer.status_code, "Idempotent-Replayed" in answer.headers) == (200, False)

    def test_too_many_requests(self, alice: Actor, bob: Actor, rates):
        rates(write="1 per minute")
        first = send(alice, bob)
        with nothing_changes():
            refused(send(alice, bob, key="k-2"), 429, "rate_limited")
        rates()
        assert not is_replay(send(alice, bob, key="k-2"), first)

    def test_an_error_of_ours(self, alice: Actor, bob: Actor, monkeypatch: pytest.MonkeyPatch):
        def fails(*_: object) -> None:
            raise RuntimeError

        with nothing_changes(), monkeypatch.context() as broken:
            broken.setattr("protonpay.transfers.service.publish", fails)
            refused(send(alice, bob), 500, "internal_error")
        assert "Idempotent-Replayed" not in send(alice, bob).headers
        assert bob.available == Usdc.parse("25")

    def test_an_answer_that_cannot_be_kept_was_not_given(
        self, alice: Actor, bob: Actor, monkeypatch: pytest.MonkeyPatch
    ):
        def fails(*_: object) -> None:
            raise RuntimeError

        with nothing_changes(), monkeypatch.context() as broken:
            broken.setattr("protonpay.store.idempotency_rows.keep", fails)
            refused(send(alice, bob), 500, "internal_error")
        assert send(alice, bob).status_code == 200


def test_redis_has_no_part_in_it(alice: Actor, bob: Actor, redis_away):
    with redis_away():
        first = send(alice, bob)
        with nothing_changes():
            second = send(alice, bob)
        with nothing_changes():
            refused(send(alice, bob, 26), 409, "idempotency_key_reused")
    assert is_replay(second, first)
    assert is_replay(send(alice, bob), first)
    assert bob.available == Usdc.parse("25")


def test_without_a_key_no_statement_more_is_sent(
    alice: Actor, bob: Actor, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []

    def note(operation: str) -> Any:
        return lambda *_: asked.append(operation)

    for name in ("lock", "answered", "keep", "begin"):
        monkeypatch.setattr(f"protonpay.store.idempotency_rows.{name}", note(name))
    assert alice.post("/client/transfer", {"toIdentifier": bob.public_id, "amount": 1})
    assert asked == []
