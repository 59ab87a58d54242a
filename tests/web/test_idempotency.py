"""``Idempotency-Key`` on what needs nobody outside (API reference §5.1, §5.2)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from marshmallow import fields
from sqlalchemy import text
from werkzeug.test import TestResponse

from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.payouts.models import Payout
from protonpay.plans import service as plans
from protonpay.store import idempotency
from protonpay.store.db import db
from protonpay.transfers.models import Transfer
from protonpay.web import tokens
from protonpay.web.fields import Secret, WireSchema, number_text
from protonpay.web.idempotency import _fingerprint, _secrets, _without
from protonpay.webhooks import service as webhooks
from tests.actors import PASSWORD, Actor
from tests.plans.of_a_kind import on_plan
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"  # EIP-55's own example
MOVED = ("transfers", "journal_entries", "postings", "ledger_balances", "ledger_pending", "events")
HOOK = {"url": "https://receiver.example.com/hook", "events": ["payout.completed"]}


def keyed(actor: Actor, path: str, body: Any, key: str = "k-1", **headers: str) -> TestResponse:
    return actor.post(path, body, headers={"Idempotency-Key": key, **headers})


def send(actor: Actor, to: Actor, amount: Any = 25, key: str = "k-1", **more: Any) -> TestResponse:
    body = {"toIdentifier": to.public_id, "amount": amount, **more}
    return keyed(actor, "/client/transfer", body, key)


def withdraw(actor: Actor, amount: Any = 50, key: str = "k-1") -> TestResponse:
    order = {"amount": amount, "walletAddress": WALLET, "network": "Base"}
    return keyed(actor, "/client/withdraw", order, key)


def is_replay(answer: TestResponse, first: TestResponse) -> bool:
    """Tell whether an answer is another one's repetition, and assert that it is a true one."""
    if "Idempotent-Replayed" not in answer.headers:
        assert "X-Original-Request-Id" not in answer.headers
        return False
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert answer.headers["X-Original-Request-Id"] == first.headers["X-Request-Id"]
    assert answer.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    assert (answer.status_code, answer.content_type) == (first.status_code, first.content_type)
    return True


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


class TestSecrets:
    def secret(self, answer: TestResponse) -> str | None:
        secret: str | None = answer.get_json()["webhook"]["secret"]
        return secret

    def test_it_is_repeated_for_a_quarter_of_an_hour(self, alice: Actor):
        now = clock.now()
        with clock.frozen(now):
            first = keyed(alice, "/client/webhooks", HOOK)
        with clock.frozen(now + timedelta(minutes=14, seconds=59)):
            again = keyed(alice, "/client/webhooks", HOOK)

        assert is_replay(again, first)
        assert again.get_data() == first.get_data()
        assert str(self.secret(again)).startswith("whsec_")

    def test_afterwards_it_is_null_and_the_rest_stays(self, alice: Actor):
        now = clock.now()
        with clock.frozen(now):
            first = keyed(alice, "/client/webhooks", HOOK)
        with clock.frozen(now + timedelta(minutes=15)), nothing_changes():
            again = keyed(alice, "/client/webhooks", HOOK)

        assert is_replay(again, first)
        webhook = first.get_json()["webhook"]
        assert again.get_json() == {"webhook": {**webhook, "secret": None}}
        quoted = f'"{webhook["secret"]}"'.encode()
        assert again.get_data() == first.get_data().replace(quoted, b"null")

    def test_who_reads_the_database_does_not_read_it(self, alice: Actor):
        secret = self.secret(keyed(alice, "/client/webhooks", HOOK))
        rows = db.session.execute(text("SELECT t::text, body, sealed_body FROM idempotency_keys t"))
        ((whole, body, sealed),) = rows
        assert secret
        for stored in (whole.encode(), bytes(body), bytes(sealed)):
            assert secret.encode() not in stored
            assert secret.encode().hex().encode() not in stored

    def test_the_round_forgets_it(self, alice: Actor):
        now = clock.now()
        with clock.frozen(now):
            keyed(alice, "/client/webhooks", HOOK)
            assert idempotency.forget_secrets() == 0
        with clock.frozen(now + timedelta(minutes=15)), only_changes("idempotency_keys"):
            assert idempotency.forget_secrets() == 1
        sealed = db.session.execute(text("SELECT sealed_body FROM idempotency_keys")).scalars()
        assert list(sealed) == [None]

    def test_an_answer_without_one_is_not_sealed(self, alice: Actor, bob: Actor):
        first = send(alice, bob)
        ((body, sealed),) = db.session.execute(
            text("SELECT body, sealed_body FROM idempotency_keys")
        )
        assert (bytes(body), sealed) == (first.get_data(), None)

    def test_only_one_endpoint_is_made(self, alice: Actor):
        for _ in range(3):
            assert keyed(alice, "/client/webhooks", HOOK).status_code == 200
        assert db.session.query(webhooks.WebhookEndpoint).count() == 1


class TestTheEndOfAKey:
    def test_it_is_kept_for_three_days(self, alice: Actor, bob: Actor):
        now = clock.now()
        with clock.frozen(now):
            send(alice, bob)
        with clock.frozen(now + timedelta(hours=71, minutes=59)), nothing_changes():
            assert idempotency.reap() == 0
        with clock.frozen(now + timedelta(hours=72)), only_changes("idempotency_keys"):
            assert idempotency.reap() == 1

    def test_it_is_reaped_in_batches(self, alice: Actor, bob: Actor):
        now = clock.now()
        with clock.frozen(now):
            for number in range(5):
                send(alice, bob, key=f"k-{number}")
        with clock.frozen(now + timedelta(hours=72)):
            assert [idempotency.reap(2) for _ in range(4)] == [2, 2, 1, 0]

    @pytest.mark.parametrize("order", ["transfer", "withdraw"])
    def test_money_does_not_move_again_under_it(self, alice: Actor, bob: Actor, order: str):
        act = (lambda: send(alice, bob)) if order == "transfer" else (lambda: withdraw(alice))
        now = clock.now()
        with clock.frozen(now):
            assert act().status_code == 200
        with clock.frozen(now + timedelta(hours=73)):
            assert idempotency.reap() == 1
        _outlive(alice)

        with nothing_changes():
            refused(act(), 409, "idempotency_key_reused")

    def test_what_is_no_money_may_be_done_again(self, alice: Actor, house: Flask):
        keyed(alice, "/client/webhooks", HOOK)
        with clock.frozen(clock.now() + timedelta(hours=73)):
            idempotency.reap()
        answer = keyed(alice, "/client/webhooks", {**HOOK, "url": "https://other.example.com/"})
        assert (answer.status_code, "Idempotent-Replayed" in answer.headers) == (200, False)

    def test_money_rows_keep_the_key_and_its_route(self, alice: Actor, bob: Actor):
        send(alice, bob)
        withdraw(alice)
        assert db.session.query(Transfer).one().idempotency_key == "POST /api/client/transfer k-1"
        assert db.session.query(Payout).one().idempotency_key == "POST /api/client/withdraw k-1"


def _outlive(actor: Actor) -> None:
    # The cooldown is another matter: it would answer before the key does.
    db.session.execute(
        text("UPDATE payouts SET created_at = created_at - interval '1 day' WHERE user_id = :id"),
        {"id": actor.id},
    )


class TestTheFingerprint:
    """What a request is known by, where no route of today tells it apart."""

    def known_by(self, app: Flask, asked: str, *validated: Any) -> bytes:
        with app.test_request_context(asked, method="POST"):
            return _fingerprint(validated)

    def test_the_concrete_path_is_part_of_it(self, app: Flask):
        one, other = (self.known_by(app, f"/api/client/things/{n}/turn") for n in "12")
        assert one != other

    def test_the_query_is_part_of_it_in_any_order(self, app: Flask):
        one, same, other = (
            self.known_by(app, f"/api/client/thing?{query}")
            for query in ("a=1&b=2", "b=2&a=1", "a=1&b=3")
        )
        assert one == same != other

    def test_members_are_the_same_in_any_order_and_lists_are_not(self, app: Flask):
        def of(body: Any) -> bytes:
            return self.known_by(app, "/api/client/thing", body)

        assert of({"a": 1, "b": {"c": 2, "d": [1]}}) == of({"b": {"d": [1], "c": 2}, "a": 1})
        assert of({"a": [1, 2]}) != of({"a": [2, 1]})
        assert of({"a": "1"}) != of({"a": 1})

    @pytest.mark.parametrize(
        ("written", "means"),
        [
            *(("50", "50"), ("50.0", "50"), ("50.00", "50"), ("50.10", "50.1"), ("500", "500")),
            *(("0.0", "0"), ("0.05", "0.05"), ("100", "100")),
        ],
    )
    def test_a_number_is_what_it_means(self, written: str, means: str):
        assert number_text(written).normal == means
        assert number_text(written) == written

    def test_a_secret_in_a_list_or_deep_inside_is_found(self):
        class Code(WireSchema):
            code = Secret()
            name = fields.String()

        class Whole(WireSchema):
            codes = fields.List(fields.Nested(Code))
            plain_words = fields.List(Secret())
            about = fields.Nested(Code)

        paths = _secrets(Whole)
        assert sorted(paths) == [("about", "code"), ("codes", "code"), ("plainWords",)]
        told = {
            "codes": [{"code": "a", "name": "n"}, {"code": "b", "name": "m"}],
            "plainWords": ["c"],
            "about": None,
        }
        assert json.loads(_without(json.dumps(told).encode(), paths)) == {
            "codes": [{"code": None, "name": "n"}, {"code": None, "name": "m"}],
            "plainWords": None,
            "about": None,
        }


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
