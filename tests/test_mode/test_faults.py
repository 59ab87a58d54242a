"""A fault that was asked for answers one call of a key, as a real one would, and no other call."""

import json
from datetime import timedelta
from typing import Any

import pytest

from protonpay.kernel.money import Usdc
from protonpay.request_log import recording
from protonpay.test_mode import faults
from tests.actors import Actor
from tests.api_keys.keys import Key, make_key
from tests.moments import Moments
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes
from tests.web.conftest import Away, redis_away

__all__ = ["redis_away"]

PATH = "/client/test/faults"
SAID = "This fault was asked for in test mode. The call was "


@pytest.fixture
def key(alice: Actor) -> Key:
    return make_key(alice)


def ask_for(actor: Actor | Key, kind: str = "internal_error", **of: Any) -> dict[str, Any]:
    answer = actor.post(PATH, {"kind": kind, **of})
    assert answer.status_code == 200, answer.get_json()
    fault: dict[str, Any] = answer.get_json()["fault"]
    return fault


def standing(actor: Actor | Key) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = actor.get(PATH).get_json()["faults"]
    return found


def pay(key: Key, payee: Actor, order: str | None = None) -> Any:
    said = {"Idempotency-Key": order} if order else {}
    body = {"toIdentifier": payee.public_id, "amount": "5"}
    return key.post("/client/transfer", body, headers=said)


@pytest.mark.parametrize(
    ("kind", "status", "wait"),
    [("internal_error", 500, None), ("unavailable", 503, "5"), ("rate_limited", 429, "5")],
)
def test_a_call_that_is_not_carried_out_leaves_its_key_free(
    alice: Actor, bob: Actor, key: Key, kind: str, status: int, wait: str | None
):
    ask_for(alice, kind)
    with only_changes("api_keys"):  # when it was used last
        answer = pay(key, bob, "order-1")
        problem = refused(answer, status, kind)
    assert problem["detail"] == f"{SAID}not carried out."
    assert answer.headers.get("Retry-After") == wait
    assert (answer.headers["X-RateLimit-Remaining"] == "0") == (kind == "rate_limited")
    again = pay(key, bob, "order-1")
    assert (again.status_code, again.headers.get("Idempotent-Replayed")) == (200, None)
    assert standing(alice) == [], "one call, no further one"


def test_a_lost_answer_is_given_to_who_asks_again_with_the_same_key(
    alice: Actor, bob: Actor, key: Key
):
    ask_for(alice, "answer_lost")
    problem = refused(pay(key, bob, "order-1"), 500, "internal_error")
    assert problem["detail"] == f"{SAID}carried out; its answer is lost."
    paid = alice.available
    again = pay(key, bob, "order-1")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert alice.available == paid == Usdc.parse("995")
    (made,) = alice.get("/client/transfers").get_json()["transfers"]
    assert again.get_json()["transfer"]["id"] == made["id"]


def test_without_a_key_who_asks_again_pays_twice(alice: Actor, bob: Actor, key: Key):
    ask_for(alice, "answer_lost")
    refused(pay(key, bob), 500, "internal_error")
    assert pay(key, bob).status_code == 200
    assert alice.available == Usdc.parse("990")


def test_what_is_refused_has_no_answer_to_lose(alice: Actor, bob: Actor, key: Key):
    made = ask_for(alice, "answer_lost")
    refused(key.post("/client/transfer", {"toIdentifier": bob.public_id}), 400, "validation_error")
    refused(make_key(alice, ["balance:read"]).post("/client/transfer"), 403, "insufficient_scope")
    assert standing(alice) == [made]


def test_it_is_met_by_the_call_that_it_is_meant_for(alice: Actor, key: Key):
    kept = ask_for(alice, method="GET", route="/api/client/withdraw/{payout_id}")
    ask_for(alice, "unavailable", method="POST", route="/api/client/withdraw")
    assert key.get("/client/balance").status_code == 200
    refused(key.post("/client/transfer", {}), 400, "validation_error")
    refused(key.post("/client/withdraw", {}), 503, "unavailable")
    assert standing(alice) == [kept]
    refused(key.get(f"/client/withdraw/{alice.id}"), 500, "internal_error")
    assert standing(alice) == []


def test_the_oldest_is_met_first(alice: Actor, key: Key):
    for kind in ("unavailable", "internal_error"):
        ask_for(alice, kind)
    codes = [key.get("/client/balance").get_json().get("code") for _ in range(3)]
    assert codes == ["unavailable", "internal_error", None]


def test_people_others_and_test_mode_itself_do_not_meet_it(alice: Actor, bob: Actor, key: Key):
    made = ask_for(key)
    assert alice.get("/client/balance").status_code == 200, "in a session"
    assert make_key(bob).get("/client/balance").status_code == 200
    assert standing(key) == [made]
    assert key.get("/client/test/payments").status_code == 200
    refused(key.get("/client/balance"), 500, "internal_error")


@pytest.mark.parametrize("kind", ["internal_error", "answer_lost"])
def test_of_two_calls_at_once_one_meets_it(
    alice: Actor, key: Key, monkeypatch: pytest.MonkeyPatch, kind: str
):
    ask_for(alice, kind)
    seen = faults.standing(alice.id)
    refused(key.get("/client/balance"), 500, "internal_error")
    monkeypatch.setattr(faults, "standing", lambda _: seen)  # as who looked before the other took
    assert key.get("/client/balance").status_code == 200


def test_the_log_of_requests_says_that_it_was_asked_for(alice: Actor, bob: Actor, key: Key):
    ask_for(alice, "answer_lost")
    pay(key, bob, "order-1")
    recording.collect(10)
    (row,) = alice.get("/client/requests").get_json()["requests"]
    told = alice.get(f"/client/requests/{row['id']}").get_json()["request"]
    assert (told["status"], told["code"]) == (500, "internal_error")
    assert json.loads(told["answer"])["detail"].startswith(SAID)


def test_it_is_taken_back(alice: Actor, mallory: Actor, key: Key):
    made, kept = ask_for(alice), ask_for(alice, "unavailable")
    refused(mallory.call("DELETE", f"{PATH}/{made['id']}"), 404, "not_found")
    assert standing(alice) == [made, kept]
    assert alice.call("DELETE", f"{PATH}/{made['id']}").status_code == 204
    refused(alice.call("DELETE", f"{PATH}/{made['id']}"), 404, "not_found")
    assert standing(alice) == [kept]


def test_it_ends_after_some_minutes_and_makes_room(
    alice: Actor, key: Key, monkeypatch: pytest.MonkeyPatch
):
    moments = Moments(monkeypatch)
    made = [ask_for(alice)["id"] for _ in range(faults.MOST)]
    refused(alice.post(PATH, {"kind": "unavailable"}), 409, "too_many_faults")
    assert {one["id"] for one in standing(alice)} == set(made)
    moments.pass_by(timedelta(minutes=15).total_seconds())
    ask_for(alice, "unavailable")
    assert [one["kind"] for one in standing(alice)] == ["unavailable"]
    refused(key.get("/client/balance"), 503, "unavailable")


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"kind": "teapot"},
        {"kind": "internal_error", "method": "BREW"},
        {"kind": "internal_error", "route": "/api/admin/users"},
        {"kind": "internal_error", "status": 418},
    ],
)
def test_what_is_no_fault_is_not_asked_for(alice: Actor, order: dict[str, Any]):
    with nothing_changes():
        refused(alice.post(PATH, order), 400, "validation_error")
    assert standing(alice) == []


def test_a_key_asks_once(alice: Actor):
    said = {"Idempotency-Key": "press-1"}
    order = {"kind": "internal_error"}
    first, second = (alice.post(PATH, order, headers=said) for _ in range(2))
    assert first.get_json() == second.get_json()
    assert len(standing(alice)) == 1


@pytest.mark.parametrize("kind", ["internal_error", "answer_lost"])
def test_redis_that_goes_meanwhile_makes_no_fault_of_its_own(
    alice: Actor, bob: Actor, key: Key, redis_away: Away, monkeypatch: pytest.MonkeyPatch, kind: str
):
    ask_for(alice, kind)
    seen = faults.standing(alice.id)
    monkeypatch.setattr(faults, "standing", lambda _: seen)
    with redis_away():
        assert pay(key, bob, "order-1").status_code == 200
    assert alice.available == Usdc.parse("995")


def test_without_redis_calls_are_carried_out(alice: Actor, key: Key, redis_away: Away):
    made = ask_for(alice)
    with redis_away():
        assert key.get("/client/balance").status_code == 200
        refused(alice.post(PATH, {"kind": "unavailable"}), 503, "unavailable")
    assert standing(alice) == [made]
