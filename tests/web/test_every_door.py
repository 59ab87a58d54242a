"""What holds at every route and for every text in it: credentials, methods, hostile strings."""

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from protonpay.store.db import db
from tests.actors import Actor
from tests.refusals import refused
from tests.unchanged import nothing_changes
from tests.web.doors import NOBODY, Slot, concrete, operations, parameters, slots

CLIENT = [each for each in operations() if each[1].startswith("/api/client/")]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "FOO")
SLOTS = slots()
EVERY_SLOT = pytest.mark.parametrize("slot", SLOTS, ids=str)
NAUGHTY: list[str] = json.loads((Path(__file__).parents[1] / "blns/blns.json").read_text())
"""The Big List of Naughty Strings, whole."""
KEPT = ("name", "note", "description")
FREE = {*KEPT, "email", "password", "toIdentifier", "walletAddress", "url", "fullName"}
SQL = (
    "' OR 1=1--",
    '"); DROP TABLE users; --',
    "'; DROP TABLE users; --",
    "1; SELECT pg_sleep(9)",
    "' || pg_sleep(9) || '",
    "cm' AND 1=(SELECT 1 FROM pg_sleep(9)) AND 'a'='a",
    "') UNION SELECT password_hash FROM users --",
    "%(x)s %s :id $1 {0}",
)
_number = itertools.count(1)


@pytest.fixture(autouse=True)
def uncounted(rates: Callable[..., None]) -> None:
    rates(**dict.fromkeys(("auth", "read", "write", "unauth", "login"), "100000 per minute"))


def test_the_document_has_what_is_swept():
    assert len(CLIENT) > 30
    assert len(SLOTS) > 30
    assert len(NAUGHTY) == 515
    assert {slot.member for slot in SLOTS} >= {*KEPT, "email", "password", "url", "walletAddress"}


@pytest.mark.checklist(1)
@pytest.mark.parametrize(("method", "path", "_"), CLIENT, ids=lambda each: str(each)[:60])
def test_nobody_is_let_in_anywhere(alice: Actor, method: str, path: str, _: Any):
    with nothing_changes():
        answer = alice.client.open(f"/api{concrete(path)}", method=method)

    if method == "HEAD":
        assert answer.status_code == 401
    else:
        refused(answer, 401, "authentication_required")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.checklist(18)
def test_every_path_knows_its_methods(alice: Actor):
    known: dict[str, set[str]] = {}
    for method, path, _ in operations():
        known.setdefault(path, {"OPTIONS"}).add(method)
        if method == "GET":
            known[path].add("HEAD")

    for path, methods in known.items():
        for wrong in set(METHODS) - methods:
            answer = alice.call(wrong, concrete(path))
            refused(answer, 405, "method_not_allowed")
            allowed = {each.strip() for each in answer.headers["Allow"].split(",")}
            assert allowed == methods, (wrong, path)


@pytest.mark.checklist(34)
def test_head_is_get_without_its_body_everywhere(alice: Actor):
    for method, path, _ in CLIENT:
        if method != "GET":
            continue
        got, head = (alice.call(each, concrete(path)) for each in ("GET", "HEAD"))
        assert (head.status_code, head.data) == (got.status_code, b""), path
        assert head.content_type == got.content_type
        nobody = alice.client.head(f"/api{concrete(path)}")
        assert (nobody.status_code, nobody.data) == (401, b""), path


@pytest.mark.checklist(33)
@pytest.mark.parametrize("accepted", ["text/html", "*/*", "image/png;q=1", "garbage", ""])
def test_a_refusal_is_json_whatever_is_accepted(alice: Actor, accepted: str):
    headers = {"Accept": accepted}

    refused(alice.get("/client/nothing", headers=headers), 404, "not_found")
    refused(alice.client.get("/api/client/fees", headers=headers), 401, "authentication_required")
    refused(alice.post("/client/fees", headers=headers), 405, "method_not_allowed")
    refused(alice.post("/client/transfer", {}, headers=headers), 400, "validation_error")


def send(alice: Actor, slot: Slot, said: Any) -> TestResponse:
    more: dict[str, Any] = {}
    if slot.path == "/auth/register" and slot.member != "email":
        more["email"] = f"sweep{next(_number)}@example.com"
    if slot.path == "/client/transfer" and slot.member != "amount":
        more["amount"] = "0.000001"
    body = json.dumps(slot.filled(said, **more))
    return alice.call(slot.method, slot.path, data=body, content_type="application/json")


def undo(alice: Actor, slot: Slot, answer: TestResponse) -> None:
    """Make room: of keys and receivers there are twenty at most."""
    if slot.method == "POST" and slot.path in ("/client/api-keys", "/client/webhooks"):
        made = next(iter(answer.get_json().values()))["id"]
        assert alice.call("DELETE", f"{slot.path}/{made}").status_code == 204


@pytest.mark.checklist(27)
@EVERY_SLOT
def test_a_nul_and_half_a_character_are_no_text(alice: Actor, slot: Slot):
    with nothing_changes():
        for nul in ("\0", "a\0b", "ab\0"):
            assert send(alice, slot, nul).status_code == 400
        for half in ("\ud800", "a\udfffb", "\udc00\ud800"):
            refused(send(alice, slot, half), 400, "malformed_json")


def _answered(answer: TestResponse, slot: Slot, said: str) -> None:
    known = {200, 204, 400, 401, 404, 409, 503}
    assert answer.status_code in known, (slot, said, answer.status_code)
    if answer.status_code == 204:
        return
    body = answer.get_json()
    if answer.status_code == 503:
        assert body["code"] in {"provider_unavailable", "rate_unavailable"}, (slot, said)
    elif answer.status_code != 200:
        assert (answer.content_type, body["status"]) == (
            "application/problem+json",
            answer.status_code,
        )


def _kept(answer: TestResponse, slot: Slot, said: str) -> None:
    told = [thing for thing in answer.get_json().values() if isinstance(thing, dict)]
    assert said in [thing.get(slot.member) for thing in told], (slot, said)


@pytest.mark.slow
@pytest.mark.checklist(28)
@EVERY_SLOT
def test_a_naughty_string_is_kept_as_it_is_or_refused(alice: Actor, bob: Actor, slot: Slot):
    """A third of 515 in a text of any kind, another third in the next; elsewhere every tenth."""
    if slot.path == "/client/transfer":
        slot = replace(slot, body={**slot.body, "toIdentifier": bob.email})
    if slot.path.startswith("/client/webhooks/"):
        order = {"url": "https://example.com/", "events": ["invoice.paid"]}
        own = alice.post("/client/webhooks", order).get_json()["webhook"]["id"]
        slot = replace(slot, path=slot.path.replace(NOBODY, own))
    if (slot.method, slot.member) == ("PATCH", "note"):
        own = alice.post("/client/invoices", {"amount": "5"}).get_json()["invoice"]["id"]
        slot = replace(slot, path=slot.path.replace(NOBODY, own))
    made_anew = (slot.method, slot.path) == ("POST", "/client/webhooks")
    step = 3 if slot.member in FREE and not made_anew else 10
    strings = NAUGHTY[sum(map(ord, f"{slot.path}{slot.member}")) % step :: step]
    taken = 0
    for said in strings:
        answer = send(alice, slot, said)
        _answered(answer, slot, said)
        if answer.status_code == 200:
            taken += 1
            if slot.member in KEPT:
                _kept(answer, slot, said)
            undo(alice, slot, answer)
    # A passkey is added, and found, with a device's signature only.
    if slot.member in KEPT and "passkeys" not in slot.path:
        assert taken > len(strings) * 0.95, slot


@pytest.mark.checklist(29)
@EVERY_SLOT
def test_sql_in_a_body_is_only_text(alice: Actor, slot: Slot):
    """A sleep would be cut off as ``database_busy``: no statement may take so long."""
    for said in SQL:
        _answered(send(alice, slot, said), slot, said)
    assert alice.get("/client/balance").status_code == 200


@pytest.mark.checklist(29)
def test_sql_in_a_path_or_a_query_is_only_text(alice: Actor):
    with nothing_changes():
        for (method, path, _), said in itertools.product(parameters("path"), SQL):
            answer = alice.call(method, concrete(path, quote(said, safe="")), json={})
            assert answer.status_code in {400, 404}, (method, path, said)
        for (method, path, name), said in itertools.product(parameters("query"), SQL):
            answer = alice.call(method, concrete(path), query_string={name: said})
            told = answer.get_json()
            if name in {"q", "object"} and answer.status_code == 200:
                # What is looked for may be any text: nothing is called so.
                assert [found for found in told.values() if found] == [], (path, said, told)
            else:
                refused(answer, 400, told["code"])


@pytest.mark.checklist(29)
def test_a_statement_that_sleeps_would_be_cut_off(alice: Actor):
    """What the two above rely on."""
    limit = db.session.execute(text("SHOW statement_timeout")).scalar_one()

    assert limit.endswith("s")
    assert int(limit.removesuffix("ms").removesuffix("s")) < (9000 if "ms" in limit else 9)
