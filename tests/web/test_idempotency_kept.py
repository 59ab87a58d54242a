"""What is kept of a request under an idempotency key, for how long, and what it is known by."""

import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from marshmallow import fields
from sqlalchemy import text
from werkzeug.test import TestResponse

from protonpay.kernel import clock
from protonpay.payouts.models import Payout
from protonpay.store import idempotency
from protonpay.store.db import db
from protonpay.transfers.models import Transfer
from protonpay.web.fields import Secret, WireSchema, number_text
from protonpay.web.idempotency import _fingerprint, _secrets, _without
from protonpay.webhooks import service as webhooks
from tests.actors import Actor
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes
from tests.web.keyed import HOOK, is_replay, keyed, send, withdraw


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
