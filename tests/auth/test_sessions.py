"""GET and DELETE /client/sessions: who is signed in, and who is not any more."""

from datetime import timedelta

from sqlalchemy import update

from protonpay.auth.models import AuthSession
from protonpay.kernel import clock
from protonpay.store.db import transaction
from tests.actors import PASSWORD, Actor
from tests.refusals import refused
from tests.unchanged import nothing_changes


def another(actor: Actor, agent: str) -> str:
    who = {"email": actor.email, "password": PASSWORD}
    answer = actor.client.post("/api/auth/login", json=who, headers={"User-Agent": agent})
    token: str = answer.get_json()["token"]
    return token


def listed(actor: Actor) -> list[dict]:
    found: list[dict] = actor.get("/client/sessions").get_json()["sessions"]
    return found


def balance(actor: Actor, token: str):
    headers = {"Authorization": f"Bearer {token}"}
    return actor.client.get("/api/client/balance", headers=headers)


def test_they_are_listed_newest_first_with_the_one_that_asks(alice: Actor, bob: Actor):
    another(alice, "Firefox/140.0")

    newest, own = listed(alice)
    assert (newest["agent"], newest["address"], newest["current"]) == (
        "Firefox/140.0",
        "127.0.0.1",
        False,
    )
    assert own["current"]
    assert own["usedAt"] == own["createdAt"] < own["endsAt"]
    assert len(listed(bob)) == 1


def test_carrying_one_on_is_a_use_of_it(alice: Actor):
    later = clock.now() + timedelta(minutes=5)
    with clock.frozen(later):
        alice.client.post("/api/auth/refresh", json={"refreshToken": alice.refresh_token})
    (own,) = listed(alice)
    assert own["usedAt"] == clock.to_text(later)


def test_one_is_ended_at_once(alice: Actor):
    other = another(alice, "Firefox/140.0")
    (found,) = [each for each in listed(alice) if not each["current"]]

    assert alice.call("DELETE", f"/client/sessions/{found['id']}").status_code == 204

    refused(balance(alice, other), 401, "token_revoked")
    assert len(listed(alice)) == 1
    with nothing_changes():
        refused(alice.call("DELETE", f"/client/sessions/{found['id']}"), 404, "not_found")


def test_all_others_are_ended(alice: Actor):
    others = [another(alice, "Firefox/140.0"), another(alice, "curl/8")]

    assert alice.call("DELETE", "/client/sessions").status_code == 204

    for token in others:
        refused(balance(alice, token), 401, "token_revoked")
    (own,) = listed(alice)
    assert own["current"]


def test_a_strangers_is_not_found(alice: Actor, bob: Actor):
    (theirs,) = listed(bob)
    with nothing_changes():
        refused(alice.call("DELETE", f"/client/sessions/{theirs['id']}"), 404, "not_found")


def test_what_has_ended_by_itself_is_not_listed(alice: Actor):
    another(alice, "Firefox/140.0")
    with transaction() as session:
        session.execute(
            update(AuthSession)
            .where(AuthSession.agent == "Firefox/140.0")
            .values(ends_at=clock.now())
        )
    assert len(listed(alice)) == 1
