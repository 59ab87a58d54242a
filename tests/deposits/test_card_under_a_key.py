"""A card session under a key, each provider in the middle (API reference §5.3)."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from protonpay.cards.registry import currencies
from protonpay.kernel import clock
from protonpay.store import idempotency
from protonpay.store.db import db
from protonpay.store.outbox import OutboxRow
from tests.actors import Actor
from tests.deposits.keyed import PATIENCE, Seller, deposits, is_replay, key_row
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

pytestmark = pytest.mark.slow


class TestAllIsWell:
    def test_one_deposit_one_session_one_answer(self, payer: Actor, seller: Seller):
        with only_changes("deposits", "outbox", "idempotency_keys"):
            first = seller.pay(payer)
        assert first.status_code == 200
        with nothing_changes():
            second = seller.pay(payer)

        assert is_replay(second, first)
        (deposit,) = deposits(payer)
        assert len(seller.sessions_of(deposit)) == 1
        row = key_row()
        assert (row.state, row.lock_token, row.locked_until) == ("COMPLETED", None, None)
        assert row.resource_id == deposit.id == first.get_json()["deposit"]["id"]

    def test_an_amount_in_another_writing_is_the_same(self, payer: Actor, seller: Seller):
        first = seller.pay(payer)
        currency = seller.order["currency"]
        for again in ({"amount": "100"}, {"amount": "100.00"}, {"currency": currency.upper()}):
            assert is_replay(seller.pay(payer, **again), first)
        assert len(deposits(payer)) == 1

    def test_another_order_under_the_key_is_refused(self, payer: Actor, seller: Seller):
        seller.pay(payer)
        others: list[dict[str, Any]] = [{"amount": 101}]
        others += [{"currency": code.lower()} for code in currencies(seller.name)]
        for other in others:
            if other == {"currency": seller.order["currency"]}:
                continue
            with nothing_changes():
                refused(seller.pay(payer, **other), 409, "idempotency_key_reused")

    def test_without_a_key_two_are_two_and_no_key_is_kept(self, payer: Actor, seller: Seller):
        for _ in range(2):
            with only_changes("deposits", "outbox"):
                assert payer.post("/client/deposit/card", seller.order).status_code == 200
        assert len(deposits(payer)) == 2

    def test_a_refusal_before_anything_was_made_leaves_the_key_free(
        self, payer: Actor, seller: Seller
    ):
        with nothing_changes():
            refused(seller.pay(payer, amount="0.0001"), 400, "invalid_amount")
            refused(seller.pay(payer, currency="xaf"), 400, "unsupported_currency")
        assert seller.pay(payer).status_code == 200


class TestTheProviderHangs:
    @pytest.mark.checklist(68)
    def test_a_retry_goes_on_with_the_same_deposit(self, payer: Actor, seller: Seller):
        seller.pull("faults", fault="hang", call="create", seconds=PATIENCE * 3)
        with only_changes("deposits", "outbox", "idempotency_keys"):
            answer = seller.pay(payer)
        refused(answer, 503, "provider_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        (begun,) = deposits(payer)
        assert (begun.state, begun.page_url) == ("PENDING", None)
        assert (key_row().state, key_row().resource_id) == ("STARTED", begun.id)

        with only_changes("deposits", "idempotency_keys"):
            second = seller.pay(payer)

        assert (second.status_code, "Idempotent-Replayed" in second.headers) == (200, False)
        (deposit,) = deposits(payer)
        assert deposit.id == begun.id == second.get_json()["deposit"]["id"]
        assert len(seller.sessions_of(deposit)) == 1
        assert is_replay(seller.pay(payer), second)
        assert db.session.query(OutboxRow).filter_by(job="deposits.card_check").count() == 1

    @pytest.mark.checklist(68)
    @pytest.mark.parametrize("fault", ["accept_then_drop", "truncate", "unreadable"])
    def test_a_session_was_made_and_nobody_heard_of_it(
        self, payer: Actor, seller: Seller, fault: str
    ):
        seller.pull("faults", fault=fault, call="create")
        refused(seller.pay(payer), 503, "provider_unavailable")

        second = seller.pay(payer)

        (deposit,) = deposits(payer)
        (session,) = seller.sessions_of(deposit)
        assert deposit.provider_ref == session["id"]
        assert second.get_json()["url"] == deposit.page_url
        assert is_replay(seller.pay(payer), second)

    @pytest.mark.checklist(68)
    @pytest.mark.parametrize("fault", ["status", "html", "reset"])
    def test_it_is_ill_again_and_again(self, payer: Actor, seller: Seller, fault: str):
        seller.pull("faults", fault=fault, call="create", times=3)
        for _ in range(3):
            refused(seller.pay(payer), 503, "provider_unavailable")
        assert seller.pay(payer).status_code == 200
        (deposit,) = deposits(payer)
        assert len(seller.sessions_of(deposit)) == 1

    def test_another_order_is_refused_meanwhile(self, payer: Actor, seller: Seller):
        seller.pull("faults", fault="reset", call="create")
        refused(seller.pay(payer), 503, "provider_unavailable")
        with nothing_changes():
            refused(seller.pay(payer, amount=7), 409, "idempotency_key_reused")

    def test_a_deposit_that_has_ended_is_not_gone_on_with(self, payer: Actor, seller: Seller):
        seller.pull("faults", fault="reset", call="create")
        refused(seller.pay(payer), 503, "provider_unavailable")
        db.session.execute(text("UPDATE deposits SET state = 'EXPIRED'"))
        db.session.commit()

        refused(seller.pay(payer), 409, "state_conflict")

        (deposit,) = deposits(payer)
        assert seller.sessions_of(deposit) == []

    def test_a_rate_is_not_kept_until_it_suits(self, payer: Actor, seller: Seller):
        seller.pull("faults", fault="reset", call="create")
        refused(seller.pay(payer), 503, "provider_unavailable")
        earlier = text("UPDATE deposits SET created_at = created_at - interval '31 minutes'")
        db.session.execute(earlier)
        db.session.commit()

        with only_changes("deposits", "idempotency_keys"):
            refused(seller.pay(payer), 409, "state_conflict")

        (deposit,) = deposits(payer)
        assert (deposit.state, deposit.page_url) == ("EXPIRED", None)
        assert seller.sessions_of(deposit) == []
        assert seller.pay(payer, "k-2").status_code == 200


class TestTheProviderDeclines:
    def test_the_deposit_fails_and_the_key_is_free_again(self, payer: Actor, seller: Seller):
        seller.pull("faults", fault="status", call="create", status=400)
        with only_changes("deposits", "outbox"):
            refused(seller.pay(payer), 400, "payment_rejected")
        (declined,) = deposits(payer)
        assert (declined.state, declined.idempotency_key) == ("FAILED", None)

        answer = seller.pay(payer)

        assert answer.status_code == 200
        old, new = deposits(payer)
        assert (old.state, new.state) == ("FAILED", "PENDING")
        assert seller.sessions_of(old) == []
        assert is_replay(seller.pay(payer), answer)

    def test_after_it_hung_first(self, payer: Actor, seller: Seller):
        seller.pull("faults", fault="reset", call="create")
        refused(seller.pay(payer), 503, "provider_unavailable")
        seller.pull("faults", fault="status", call="create", status=400)

        with only_changes("deposits", "idempotency_keys"):
            refused(seller.pay(payer), 400, "payment_rejected")

        (deposit,) = deposits(payer)
        assert (deposit.state, key_row()) == ("FAILED", None)


def test_a_key_that_was_forgotten_makes_no_second_deposit(payer: Actor, seller: Seller):
    seller.pay(payer)
    with clock.frozen(clock.now() + timedelta(hours=73)):
        assert idempotency.reap() == 1
    with nothing_changes():
        refused(seller.pay(payer), 409, "idempotency_key_reused")
    (deposit,) = deposits(payer)
    assert len(seller.sessions_of(deposit)) == 1
