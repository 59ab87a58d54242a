"""Every route of the portal: for who is signed in, and by forms of our own pages alone."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from protonpay.auth.models import AuthSession
from protonpay.auth.service import suspend
from protonpay.portal.client import looks
from protonpay.portal.client.visits import COOKIE
from protonpay.store.db import db
from protonpay.store.queue import door
from tests.actors import PASSWORD, Actor
from tests.portal.client.reader import Reader, sign_in
from tests.unchanged import nothing_changes

AN_ID, AN_EVENT = "cm" + "a" * 23, "evt_cm" + "a" * 23


def routes(app: Flask, blueprint: str, method: str) -> Iterator[str]:
    """Every path of a blueprint that takes a method, with ids of nobody's in it."""
    adapter = app.url_map.bind("127.0.0.1")
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith(f"{blueprint}.") or method not in (rule.methods or ()):
            continue
        values = dict.fromkeys(rule.arguments, AN_ID)
        values |= {name: AN_EVENT for name in rule.arguments if name == "event_id"}
        values |= {name: "2020-01" for name in rule.arguments if name == "month"}
        yield adapter.build(rule.endpoint, values, method=method)


def test_nobody_sees_a_screen_or_sends_a_form(house: Flask, alice: Actor):
    reader = Reader(house)
    seen = [*routes(house, "client", "GET")]
    sent = [*routes(house, "client", "POST")]
    assert len(seen) > 20
    assert len(sent) > 20
    with nothing_changes():
        for path in seen:
            assert reader.client.get(path).headers["Location"].startswith("/login"), path
        for path in sent:
            assert reader.client.post(path).headers["Location"].startswith("/login"), path


def test_no_form_is_taken_without_the_token_of_its_page(house: Flask, alice: Actor, bob: Actor):
    reader, other = sign_in(house, alice), sign_in(house, bob)
    strange = other.open("/app/transfer/confirm").form("/app/transfer").fields["csrf_token"]
    with nothing_changes():
        for path in [*routes(house, "client", "POST"), *routes(house, "entry", "POST")]:
            for token in ("", "nonsense", strange):
                assert reader.client.post(path, data={"csrf_token": token}).status_code == 403, path


def test_a_thing_of_nobodys_is_a_page_and_no_secret(house: Flask, alice: Actor):
    reader = sign_in(house, alice)
    for path in routes(house, "client", "GET"):
        if AN_ID in path:
            answer = reader.client.get(path, follow_redirects=True)
            assert (answer.status_code, answer.mimetype) == (404, "text/html"), path
    assert reader.client.get("/app/nowhere/at/all").status_code == 404


def test_the_cookie_is_this_hosts_alone_and_holds_no_secret(house: Flask, alice: Actor):
    reader = Reader(house)
    reader.open("/login")
    form = reader.at.form("/login").fields
    answer = reader.client.post("/login", data={**form, "email": alice.email, "password": PASSWORD})
    (cookie,) = [each for each in answer.headers.getlist("Set-Cookie") if COOKIE in each]
    said = {part.strip() for part in cookie.split(";")[1:]}
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= said
    assert not any(part.startswith("Domain") for part in said)
    assert COOKIE.startswith("__Host-")


def test_signing_in_leaves_nothing_of_who_was_there_before(house: Flask, alice: Actor):
    """Session fixation: what a page had before is worth nothing after."""
    reader = Reader(house)
    reader.open("/login")
    before = reader.at.form("/login").fields["csrf_token"]
    reader.send("/login", email=alice.email, password=PASSWORD)
    assert reader.client.post("/logout", data={"csrf_token": before}).status_code == 403


@pytest.mark.parametrize("ended", ["signed out", "revoked", "suspended"])
def test_an_ended_session_opens_nothing(house: Flask, alice: Actor, ended: str):
    reader = sign_in(house, alice)
    cookie = reader.client.get_cookie(COOKIE)
    assert cookie is not None
    session = db.session.scalars(
        select(AuthSession).where(AuthSession.user_id == alice.id).order_by(AuthSession.id.desc())
    ).first()
    assert session is not None
    if ended == "signed out":
        reader.open("/app")
        reader.send("/logout")
    elif ended == "revoked":
        alice.call("DELETE", "/client/sessions")
    else:
        suspend(alice.id)
    thief = Reader(house)
    thief.client.set_cookie(COOKIE, cookie.value)
    assert thief.client.get("/app").headers["Location"].startswith("/login")
    # Redis forgets it after a while; the cookie lives for days.
    door.client.delete(*door.client.keys("*revoked*") or ["none"])
    assert thief.client.get("/app").headers["Location"].startswith("/login")


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/app",
        "//evil.example/app",
        "//[",
        "/\\evil.example",
        "/app\\..\\..",
        "javascript:alert(1)",
        "/api/client/balance",
        "/app\r\nSet-Cookie: x=1",
    ],
)
def test_signing_in_leads_nowhere_else(house: Flask, alice: Actor, elsewhere: str):
    reader = Reader(house)
    reader.client.get("/login")
    reader.open("/login")
    form = reader.at.form("/login").fields
    typed = {**form, "email": alice.email, "password": PASSWORD, "next": elsewhere}
    assert reader.client.post("/login", data=typed).headers["Location"] == "/app"


@pytest.mark.parametrize(
    "signed", ["[" * 15_000, '{"a":' * 900 + "1" + "}" * 900, "{", "[]", '{"a":"\\ud800"}', "1e999"]
)
def test_what_no_passkey_has_signed_is_refused(house: Flask, signed: str):
    reader = Reader(house)
    form = reader.open("/login").form("/login/passkey").fields
    assert reader.again("/login/passkey", {**form, "signed": signed}).status_code == 400


def test_a_bug_is_a_page_with_the_number_of_its_request(
    house: Flask, alice: Actor, monkeypatch: pytest.MonkeyPatch
):
    reader = sign_in(house, alice)
    monkeypatch.setattr(looks, "span", lambda *_: 1 / 0)
    answer = reader.client.get("/app/activity")
    assert (answer.status_code, answer.mimetype) == (500, "text/html")
    assert answer.headers["X-Request-Id"] in answer.get_data(as_text=True)
