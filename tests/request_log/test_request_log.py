"""What keys ask is there to be read, whole and without a secret; nothing else is."""

import json
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from flask import Flask

from protonpay.kernel import clock
from protonpay.kernel.errors import Unavailable
from protonpay.request_log import recording, service
from protonpay.store.queue import door
from tests.actors import Actor
from tests.api_keys.keys import Key, make_key, revoke
from tests.refusals import refused
from tests.unchanged import contents
from tests.unheard import commits_unheard
from tests.web.conftest import Away


def waiting() -> int:
    return int(door.client.llen(recording.WAITING))


def written(owner: Actor, **query: str) -> list[dict[str, Any]]:
    """Write down what waits, and return what its owner then sees."""
    while recording.collect(100):
        pass
    answer = owner.get("/client/requests", query_string=query)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    rows: list[dict[str, Any]] = answer.get_json()["requests"]
    return rows


def whole(owner: Actor, row: dict[str, Any]) -> dict[str, Any]:
    answer = owner.get(f"/client/requests/{row['id']}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    request: dict[str, Any] = answer.get_json()["request"]
    return request


@pytest.fixture
def key(alice: Actor) -> Key:
    return make_key(alice)


def test_a_request_is_there_with_all_that_was_said(alice: Actor, bob: Actor, key: Key):
    sent = f'{{"toIdentifier": "{bob.public_id}",  "amount": 5000.10}}'
    answer = key.client.post(
        "/api/client/transfer",
        data=sent,
        content_type="application/json",
        headers={
            "Authorization": f"Bearer {key.raw}",
            "Idempotency-Key": "order-7",
            "User-Agent": "shop/1.0",
        },
        environ_overrides={"REMOTE_ADDR": "203.0.113.7"},
    )
    problem = refused(answer, 400, "insufficient_balance")

    (row,) = written(alice)

    assert row | {"id": "", "createdAt": "", "milliseconds": 0} == {
        "id": "",
        "requestId": answer.headers["X-Request-Id"],
        "keyId": key.id,
        "method": "POST",
        "route": "/api/client/transfer",
        "path": "/api/client/transfer",
        "status": 400,
        "code": "insufficient_balance",
        "milliseconds": 0,
        "idempotencyKey": "order-7",
        "address": "203.0.113.7",
        "agent": "shop/1.0",
        "createdAt": "",
    }
    request = whole(alice, row)
    assert request.pop("body") == sent, "byte for byte, the amount as it was written"
    assert json.loads(request.pop("answer")) == problem
    assert request == row


def test_a_good_answer_is_not_kept_and_its_path_has_its_query(alice: Actor, key: Key):
    assert key.get("/client/activity?limit=3").status_code == 200
    (row,) = written(alice)
    request = whole(alice, row)
    assert (request["path"], request["status"]) == ("/api/client/activity?limit=3", 200)
    assert (request["code"], request["body"], request["answer"]) == (None, None, None)


def test_the_parts_of_a_path_have_names(alice: Actor, key: Key):
    refused(key.get(f"/client/withdraw/{alice.id}"), 404, "not_found")
    (row,) = written(alice)
    assert row["route"] == "/api/client/withdraw/{payout_id}"
    assert row["path"] == f"/api/client/withdraw/{alice.id}"


def test_what_a_key_may_not_do_is_there_too(alice: Actor):
    reader = make_key(alice, ["balance:read"])
    refused(reader.post("/client/transfer", {"amount": 1}), 403, "insufficient_scope")
    (row,) = written(alice)
    assert (row["keyId"], row["code"]) == (reader.id, "insufficient_scope")
    assert whole(alice, row)["body"] is None, "it was never read"


def test_nothing_else_is_written(alice: Actor, key: Key):
    """A person's requests hold passwords and papers; a bad key has no account."""
    assert alice.get("/client/balance").status_code == 200
    assert key.client.get("/api/health").status_code == 200
    unknown = Key(key.client, "", "sk_test_" + "0" * 40)
    assert unknown.get("/client/balance").status_code == 401
    revoke(alice, key.id)
    refused(key.get("/client/balance"), 401, "api_key_invalid")
    assert waiting() == 0


def test_no_secret_is_kept(alice: Actor, key: Key):
    body = {"amount": 1, "note": f"mine is {key.raw}", "password": "correct horse"}
    key.post("/client/transfer", body)
    key.get(f"/client/activity?search={key.raw}")
    raw = b"".join(door.client.lrange(recording.WAITING, 0, -1)).decode()
    said = raw + json.dumps([whole(alice, row) for row in written(alice)])
    assert key.raw not in said
    assert "correct horse" not in said
    assert '\\"password\\": \\"[redacted]\\"' in said


@pytest.mark.parametrize(
    "sent",
    [
        b"{",
        b'{"amount": 1, "amount": 2}',
        b'{"note": "\\u0000\\ud800"}',
        b"\xff\xfe\x00",
        b"[" * 5000,
        b'{"note": ' + b"[" * 600 + b"]" * 600 + b"}",
        b'{"note": "' + b"x" * 5000 + b'"}',
    ],
    ids=["cut", "twice", "no text", "no UTF-8", "bottomless", "deep", "long"],
)
def test_what_cannot_be_read_is_kept_as_far_as_it_can_be_shown(alice: Actor, key: Key, sent: bytes):
    answer = key.client.post(
        "/api/client/transfer",
        data=sent,
        content_type="application/json",
        headers={"Authorization": f"Bearer {key.raw}"},
    )
    (row,) = written(alice)
    assert row["status"] == answer.status_code == 400
    kept = whole(alice, row)["body"]
    assert kept == (None if len(sent) > 4096 else sent.decode("utf-8", "replace").replace("\0", ""))


def test_filters_and_pages(alice: Actor, key: Key):
    other = make_key(alice, ["balance:read"])
    for number in range(3):
        key.get(f"/client/activity?limit={number + 1}")
    refused(other.get("/client/activity"), 403, "insufficient_scope")

    assert {row["keyId"] for row in written(alice, keyId=other.id)} == {other.id}
    assert [row["status"] for row in written(alice, outcome="succeeded")] == [200] * 3
    assert [row["status"] for row in written(alice, outcome="refused")] == [403]
    assert written(alice, outcome="failed") == []
    assert [row["code"] for row in written(alice, code="insufficient_scope")] == [
        "insufficient_scope"
    ]
    assert len(written(alice, route="/api/client/activity")) == 4
    assert written(alice, route="/api/client/balance") == []
    first = alice.get("/client/requests?limit=3").get_json()
    cursor = {"limit": "3", "cursor": first["nextCursor"]}
    rest = alice.get("/client/requests", query_string=cursor).get_json()
    assert (len(first["requests"]), len(rest["requests"]), rest["hasMore"]) == (3, 1, False)
    refused(alice.get("/client/requests?outcome=strange"), 400, "validation_error")


def test_a_request_is_found_by_its_id_also_by_one_of_the_callers_own(
    alice: Actor, mallory: Actor, key: Key
):
    """A caller's own id may name several; nobody finds those of others by it."""
    theirs = make_key(mallory)
    for path in ("/client/balance", "/client/fees"):
        for one in (key, theirs):
            one.client.get(
                f"/api{path}",
                headers={"Authorization": f"Bearer {one.raw}", "X-Request-Id": "order-0042"},
            )
    ours = key.get("/client/activity").headers["X-Request-Id"]

    assert [row["route"] for row in written(alice, requestId=ours)] == ["/api/client/activity"]
    both = written(alice, requestId="order-0042", limit="100")
    assert {row["keyId"] for row in both} == {key.id}
    assert len(both) == 2
    assert written(alice, requestId=ours[:-1]) == []
    for nonsense in ("short", "has space", "x" * 65, "%"):
        asked = alice.get("/client/requests", query_string={"requestId": nonsense})
        refused(asked, 400, "validation_error")


def test_strangers_see_nothing(alice: Actor, mallory: Actor, key: Key):
    key.get("/client/balance")
    (row,) = written(alice)
    assert written(mallory) == []
    refused(mallory.get(f"/client/requests/{row['id']}"), 404, "not_found")
    assert mallory.get("/client/requests/errors").get_json() == {"errors": []}
    refused(key.get("/client/requests"), 403, "insufficient_scope")


def test_what_is_refused_most_stands_first(alice: Actor, bob: Actor, key: Key):
    for amount in (5000, 6000):
        key.post("/client/transfer", {"toIdentifier": bob.public_id, "amount": amount})
    key.post("/client/transfer", {"toIdentifier": alice.public_id, "amount": 1})
    key.get("/client/balance")
    newest = written(alice)

    groups = alice.get("/client/requests/errors").get_json()["errors"]

    assert [(each["code"], each["count"]) for each in groups] == [
        ("insufficient_balance", 2),
        (newest[1]["code"], 1),
    ]
    assert {each["route"] for each in groups} == {"/api/client/transfer"}
    assert groups[0]["lastId"] == newest[2]["id"]
    long_ago = clock.to_text(clock.now() - timedelta(days=20))
    early = {"from": long_ago, "to": clock.to_text(clock.now() - timedelta(days=19))}
    assert alice.get("/client/requests/errors", query_string=early).get_json() == {"errors": []}


def test_days_say_what_each_key_asked(alice: Actor, bob: Actor, mallory: Actor, key: Key):
    key.get("/client/balance")
    key.get("/client/balance")
    key.post("/client/transfer", {"toIdentifier": bob.public_id, "amount": 5000})
    (newest, *_) = written(alice)
    (day,) = alice.get("/client/requests/days").get_json()["days"]
    assert day == {
        "day": f"{clock.now():%Y-%m-%d}",
        "keyId": newest["keyId"],
        "requests": 3,
        "refused": 1,
    }
    assert mallory.get("/client/requests/days").get_json() == {"days": []}
    with patch.object(service, "MOST_COUNTED", 2):
        (day,) = alice.get("/client/requests/days").get_json()["days"]
    assert (day["requests"], day["refused"]) == (2, 1), "the newest ones"
    for nonsense in ("0", "31", "-1", "x"):
        refused(alice.get(f"/client/requests/days?days={nonsense}"), 400, "validation_error")


def test_after_thirty_days_they_are_not_shown(alice: Actor, key: Key, moments: Any):
    refused(key.get(f"/client/withdraw/{alice.id}"), 404, "not_found")
    (row,) = written(alice)
    moments.pass_by(service.KEPT.total_seconds() + 1)
    service_rows = service.listed(alice.id, _all())
    assert service_rows == []
    with pytest.raises(service.NotFound):
        service.get(alice.id, row["id"])
    month = clock.now() - timedelta(days=30)
    assert service.trouble(alice.id, since=month - timedelta(days=5)) == []


def _all() -> Any:
    return service.Part(10)


def test_without_redis_a_request_is_answered_all_the_same(alice: Actor, key: Key, redis_away: Away):
    with redis_away():
        assert key.get("/client/balance").status_code == 200
    assert written(alice) == []


def test_what_this_log_stumbles_over_leaves_the_request_alone(
    alice: Actor, bob: Actor, key: Key, monkeypatch: pytest.MonkeyPatch
):
    def stumble(*_: Any) -> None:
        raise RuntimeError("a mistake of ours")

    with monkeypatch.context() as patch:
        patch.setattr(recording, "_line", stumble)
        sent = key.post("/client/transfer", {"toIdentifier": bob.public_id, "amount": 1})
    assert (sent.status_code, str(bob.available)) == (200, "1.00")
    assert written(alice) == []


def test_while_the_database_is_away_lines_wait(
    alice: Actor, key: Key, monkeypatch: pytest.MonkeyPatch
):
    for limit in (1, 2, 3):
        key.get(f"/client/activity?limit={limit}")

    def away(*_: Any) -> None:
        raise Unavailable("busy", "The database is away.")

    with monkeypatch.context() as patch:
        patch.setattr(recording.db, "execute", away)
        with pytest.raises(Unavailable):
            recording.collect(100)
    assert waiting() == 3
    paths = [row["path"] for row in written(alice)]
    assert paths == [f"/api/client/activity?limit={limit}" for limit in (3, 2, 1)]


def test_lines_whose_commit_was_not_heard_of_are_written_once_and_cost_no_others(
    alice: Actor, key: Key
):
    key.get("/client/activity?limit=1")
    with commits_unheard(recording), pytest.raises(Unavailable):
        recording.collect(100)
    key.get("/client/activity?limit=2")
    paths = [row["path"] for row in written(alice)]
    assert paths == [f"/api/client/activity?limit={limit}" for limit in (2, 1)]


def test_a_line_that_nobody_of_ours_wrote_is_dropped(alice: Actor, key: Key):
    before = contents()
    door.client.rpush(recording.WAITING, '{"status": "none"}')
    assert recording.collect(100) == 1
    stranger = {"id": "x", "user_id": "nobody", "created_at": clock.now().isoformat()}
    door.client.rpush(recording.WAITING, json.dumps(stranger))
    assert recording.collect(100) == 1
    assert (contents(), waiting()) == (before, 0)


def test_no_more_wait_than_there_is_room_for(
    house: Flask, alice: Actor, key: Key, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(recording, "MOST_WAITING", 2)
    for limit in (1, 2, 3):
        key.get(f"/client/activity?limit={limit}")
    assert [row["path"][-1] for row in written(alice)] == ["3", "2"]
