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


def test_what_a_program_calls_itself_is_told_as_people_call_it(alice: Actor):
    agents = {
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": (
            "Firefox",
            "Linux",
        ),
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
        " Gecko) Version/18.5 Mobile/15E148 Safari/604.1": ("Mobile Safari", "iOS"),
        "curl/8.14.1": ("curl", None),
        "shop-server/1.0 (nightly)": ("shop-server", None),
        "node": ("node", None),
        "Mozilla/5.0": (None, None),
        "<img onerror=alert(1)>": (None, None),
    }
    for agent in agents:
        another(alice, agent)
    told = {each["agent"]: (each["program"], each["system"]) for each in listed(alice)}
    assert agents.items() <= told.items()


def test_those_that_ended_are_a_log_of_sign_ins(alice: Actor, bob: Actor):
    out, revoked = another(alice, "Out/1"), another(alice, "Revoked/1")
    alice.client.post("/api/auth/logout", headers={"Authorization": f"Bearer {out}"})
    (found,) = [each for each in listed(alice) if each["agent"] == "Revoked/1"]
    alice.call("DELETE", f"/client/sessions/{found['id']}")
    refused(balance(alice, revoked), 401, "token_revoked")
    another(bob, "Bobs/1")

    def told(status: str, actor: Actor = alice) -> dict[str, str | None]:
        rows = actor.get(f"/client/sessions?status={status}").json["sessions"]
        return {each["agent"]: each["endReason"] for each in rows if each["agent"].endswith("/1")}

    assert told("ACTIVE") == {}
    ends = {"Revoked/1": "revoked", "Out/1": "signed_out"}
    assert told("ENDED") == ends
    assert told("ANY") == ends
    assert told("ANY", bob) == {"Bobs/1": None}
    with clock.frozen(clock.now() + timedelta(days=31)):
        late = {"email": alice.email, "password": PASSWORD}
        token = alice.client.post("/api/auth/login", json=late).json["token"]
        asked = {"Authorization": f"Bearer {token}"}
        rows = alice.client.get("/api/client/sessions?status=ENDED", headers=asked).json["sessions"]
    (ran_out,) = [each for each in rows if each["endReason"] == "ran_out"]
    assert ran_out["endedAt"] == ran_out["endsAt"]
    refused(alice.get("/client/sessions?status=GONE"), 400, "validation_error")


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
