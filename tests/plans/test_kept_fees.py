"""GET /client/fees may be kept for a minute, and only it (API reference §8)."""

import re

import pytest

from tests.actors import Actor
from tests.plans.of_a_kind import on_plan
from tests.refusals import refused

FEES = "/client/fees"


def _ask(actor: Actor, etag: str, method: str = "GET"):
    return actor.call(method, FEES, headers={"If-None-Match": etag})


@pytest.mark.checklist(60)
def test_the_caller_may_keep_fees_for_a_minute(alice: Actor):
    headers = alice.get(FEES).headers

    assert headers["Cache-Control"] == "private, max-age=60"
    assert headers["Vary"] == "Authorization, X-Account"
    assert re.fullmatch(r'W/"[0-9a-f]{32}"', headers["ETag"])


@pytest.mark.checklist(60)
@pytest.mark.parametrize("path", ["/client/balance", "/client/dashboard", "/client/activity"])
def test_nothing_else_may_be_kept(alice: Actor, path: str):
    headers = alice.get(path).headers

    assert headers["Cache-Control"] == "no-store"
    assert "ETag" not in headers


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_has_not_changed_is_not_sent_again(alice: Actor, method: str):
    first = alice.get(FEES)
    etag = first.headers["ETag"]

    for known in (etag, etag.removeprefix("W/"), f'"other", {etag}', "*"):
        again = _ask(alice, known, method)
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == etag
        for name in ("Cache-Control", "Vary"):
            assert again.headers[name] == first.headers[name]
        assert "Content-Type" not in again.headers
    for other in ('"other"', etag[:-2] + '"', "", "garbage"):
        assert _ask(alice, other, method).status_code == 200


def test_what_has_changed_is_sent(alice: Actor):
    etag = alice.get(FEES).headers["ETag"]
    on_plan(alice, cooldown_seconds=5)

    answer = _ask(alice, etag)

    assert answer.status_code == 200
    assert answer.get_json()["fees"]["limits"]["withdrawalCooldownSec"] == 5
    assert answer.headers["ETag"] != etag


def test_a_refusal_is_not_kept(alice: Actor):
    etag = alice.get(FEES).headers["ETag"]
    headers = {"If-None-Match": etag, "Authorization": "Bearer x"}

    answers = [
        alice.client.get(f"/api{FEES}", headers=headers),
        alice.get(f"{FEES}?userId=B", headers={"If-None-Match": etag}),
    ]

    for answer, (status, code) in zip(
        answers, [(401, "invalid_token"), (400, "validation_error")], strict=True
    ):
        refused(answer, status, code)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "ETag" not in answer.headers
