"""What is counted while Redis is away: sign-ins are refused, everything else goes on."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from protonpay.kernel.money import Usdc
from protonpay.web import limits
from tests.actors import PASSWORD, Actor
from tests.refusals import refused
from tests.unchanged import nothing_changes
from tests.web.conftest import Away


@pytest.fixture(autouse=True)
def _no_windows_of_others(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits.buckets, "_local", limits._LocalWindows())


@pytest.mark.parametrize("path", ["register", "login", "refresh", "logout"])
def test_auth_fails_closed(client: FlaskClient, redis_away: Away, path: str):
    person = {"name": "Eve", "email": "eve@example.com", "password": PASSWORD}

    with redis_away(), nothing_changes():
        answer = client.post(f"/api/auth/{path}", json=person)

    refused(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] == "1"


def test_auth_goes_on_when_redis_is_back(alice: Actor, redis_away: Away):
    """Flask-Limiter can take one failure for a store that is dead for ever (§4)."""
    credentials = {"email": alice.email, "password": PASSWORD}
    with redis_away():
        assert alice.post("/auth/login", credentials).status_code == 503

    assert alice.post("/auth/login", credentials).status_code == 200


def test_reads_and_writes_go_on_and_each_process_counts_for_itself(
    alice: Actor, bob: Actor, redis_away: Away, rates: Callable[..., None]
):
    rates(read="2 per minute", write="1 per minute")

    with redis_away():
        assert alice.get("/client/balance").headers["RateLimit"] == '"client-read";r=1;t=60'
        answers = [alice.get("/client/balance") for _ in range(2)]
        transfer = {"toIdentifier": bob.email, "amount": 1}
        transfers = [alice.post("/client/transfer", transfer) for _ in range(2)]
        others = bob.get("/client/balance")

    assert [answer.status_code for answer in answers] == [200, 429]
    assert 1 <= int(answers[1].headers["Retry-After"]) <= 60
    assert [answer.status_code for answer in transfers] == [200, 429]
    assert bob.available == Usdc.parse("1")
    assert others.status_code == 200


def test_the_window_in_memory_slides_too(monkeypatch: pytest.MonkeyPatch):
    windows = limits._LocalWindows()

    def at(seconds: float) -> tuple[int, int, int]:
        monkeypatch.setattr(limits.time, "monotonic", lambda: 1000 + seconds)
        return windows.admit("k", 2, 60)

    assert [at(0), at(50), at(59.5)] == [(1, 1, 60_000), (1, 0, 10_000), (0, 0, 500)]
    assert [at(60), at(61), at(110)] == [(1, 0, 50_000), (0, 0, 49_000), (1, 0, 10_000)]


def test_the_windows_in_memory_do_not_grow_for_ever():
    windows = limits._LocalWindows()
    for account in range(windows._MOST_ACCOUNTS + 2):
        windows.admit(str(account), 1, 60)

    assert len(windows._hits) == 1


def test_a_session_that_ended_stays_ended_while_redis_is_away(alice: Actor, redis_away: Away):
    """Redis cannot say, so Postgres is asked."""
    alice.post("/auth/logout")

    with redis_away():
        refused(alice.get("/client/balance"), 401, "token_revoked")


def test_without_redis_and_database_the_answer_is_503(
    alice: Actor, redis_away: Away, database_away: Away
):
    with redis_away(), database_away():
        refused(alice.get("/client/balance"), 503, "database_busy")


def test_work_that_follows_a_commit_waits_for_redis_and_is_not_lost(alice: Actor, redis_away: Away):
    order = {
        "amount": 10,
        "walletAddress": "0x52908400098527886E0F7030069857D2E4169EE7",
        "network": "Base",
    }
    with redis_away():
        answer = alice.post("/client/withdraw", order)

    assert answer.status_code == 200
    assert alice.held == Usdc.parse("10.05")
