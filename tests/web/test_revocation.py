"""A session that has ended is over at once, for every process and whatever Redis knows."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from protonpay.auth import sessions
from protonpay.auth.models import AuthSession
from protonpay.kernel import clock
from protonpay.store import marks
from protonpay.store.db import db, transaction
from protonpay.store.outbox import OutboxRow
from protonpay.store.queue import door
from protonpay.users.models import User
from tests.actors import PASSWORD, Actor
from tests.refusals import refused


def _session_of(actor: Actor) -> AuthSession:
    found = db.session.scalars(select(AuthSession).where(AuthSession.user_id == actor.id)).all()
    assert len(found) == 1
    return found[0]


def _ends(actor: Actor) -> None:
    refused(actor.get("/client/balance"), 401, "token_revoked")


@pytest.mark.checklist(17)
def test_logout_ends_the_access_token_at_once(alice: Actor):
    assert alice.get("/client/balance").status_code == 200

    assert alice.post("/auth/logout").status_code == 204

    _ends(alice)
    session = _session_of(alice)
    assert session.end_reason == "signed_out"
    assert door.client.exists(marks.revoked(session.id)) == 1


def test_a_token_verified_a_moment_ago_is_refused_like_any_other(alice: Actor):
    for _ in range(3):
        assert alice.get("/client/balance").status_code == 200
    alice.post("/auth/logout")
    for _ in range(2):
        _ends(alice)


def test_another_session_of_the_same_user_lives_on(alice: Actor):
    credentials = {"email": alice.email, "password": PASSWORD}
    other = alice.client.post("/api/auth/login", json=credentials).get_json()["token"]

    alice.post("/auth/logout")

    _ends(alice)
    answer = alice.client.get("/api/client/balance", headers={"Authorization": f"Bearer {other}"})
    assert answer.status_code == 200


def test_an_emptied_redis_forgets_no_ending(alice: Actor, bob: Actor):
    alice.post("/auth/logout")

    door.client.flushall()

    _ends(alice)
    assert bob.get("/client/balance").status_code == 200


def test_what_redis_forgot_is_told_to_it_again(alice: Actor, bob: Actor):
    alice.post("/auth/logout")
    bob.post("/auth/logout")
    door.client.flushall()

    assert sessions.load() == 2

    assert door.client.exists(marks.REVOCATIONS_LOADED) == 1
    assert door.client.exists(*(marks.revoked(_session_of(who).id) for who in (alice, bob))) == 2
    _ends(alice)
    assert sessions.load() == 0


def test_what_a_redis_forgot_that_came_back_as_it_was_before_is_told_to_it_again(alice: Actor):
    """Restarted from an older copy of itself, or another one in its place: it knows no better."""
    sessions.load()
    alice.post("/auth/logout")
    door.client.delete(marks.revoked(_session_of(alice).id))
    door.client.set(marks.REVOCATIONS_LOADED, "another run of it")

    assert sessions.load() == 1

    _ends(alice)
    assert sessions.load() == 0


def test_an_ending_older_than_any_token_is_not_told_again(alice: Actor):
    alice.post("/auth/logout")
    session = _session_of(alice)
    with transaction():
        session.ended_at = clock.now() - timedelta(minutes=17)
    door.client.flushall()

    assert sessions.load() == 0


def test_a_mark_lives_longer_than_any_access_token(alice: Actor):
    alice.post("/auth/logout")

    left = door.client.ttl(marks.revoked(_session_of(alice).id))
    assert 15 * 60 < left <= 16 * 60


def test_a_mark_that_could_not_be_set_is_set_by_a_job(
    alice: Actor, monkeypatch: pytest.MonkeyPatch
):
    """Redis was away for a moment: the row that the ending wrote makes up for it."""

    def fails(_session_id: str) -> None:
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr(sessions, "announce", fails)
        assert alice.post("/auth/logout").status_code == 204
    told = OutboxRow.job == "auth.announce_revocation"
    rows = db.session.execute(select(OutboxRow.job, OutboxRow.args).where(told)).all()

    session = _session_of(alice)
    assert rows == [("auth.announce_revocation", {"session_id": session.id})]
    sessions.announce(session.id)
    _ends(alice)


@pytest.mark.checklist(17)
def test_a_refresh_token_used_twice_ends_the_access_token_too(alice: Actor):
    for _ in range(2):
        alice.post("/auth/refresh", {"refreshToken": alice.refresh_token})

    _ends(alice)
    assert _session_of(alice).end_reason == "refresh_token_reused"


@pytest.mark.checklist(17)
def test_every_session_of_a_user_can_be_ended_at_once(alice: Actor, bob: Actor):
    credentials = {"email": alice.email, "password": PASSWORD}
    alice.client.post("/api/auth/login", json=credentials)

    with transaction():
        assert sessions.end_all_of(alice.id, "password_changed") == 2

    _ends(alice)
    assert bob.get("/client/balance").status_code == 200
    with transaction():
        assert sessions.end_all_of(alice.id, "password_changed") == 0


def test_ending_twice_keeps_the_first_ending(alice: Actor):
    moment = clock.now()
    with clock.frozen(moment):
        alice.post("/auth/logout")
    with clock.frozen(moment + timedelta(seconds=5)):
        assert alice.post("/auth/logout").status_code == 204

    assert _session_of(alice).ended_at == moment


def test_a_session_over_its_time_is_over(alice: Actor):
    with transaction() as session:
        session.execute(update(AuthSession).values(ends_at=clock.now()))
    door.client.flushall()

    _ends(alice)


@pytest.mark.checklist(16)
def test_a_suspended_user_may_do_nothing_any_more(alice: Actor, bob: Actor):
    with transaction() as session:
        session.execute(update(User).where(User.id == alice.id).values(standing="SUSPENDED"))

    transfer = alice.post("/client/transfer", {"toIdentifier": bob.email, "amount": 1})

    refused(transfer, 403, "account_suspended")
