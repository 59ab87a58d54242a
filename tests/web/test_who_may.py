"""Every route by who asks: nobody, a stranger, a stranger's key, the owner, keys, members.

Made from the OpenAPI document, so that a new route or a new kind of thing without a row fails.
Nobody at every route is in ``test_every_door``; keys by scope are in ``tests/api_keys``, members by
role in ``tests/teams/test_matrix.py``, operators by role in ``tests/admin``.
"""

import json
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from protonpay.app import BLUEPRINTS
from protonpay.request_log import recording
from tests.actors import Actor
from tests.api_keys.keys import make_key
from tests.api_keys.test_using_keys import MANAGING, MONTH, OPENS
from tests.auth.test_sessions import listed as sessions
from tests.invoices.asking import ask
from tests.kyc.papers import upload
from tests.linked_wallets import signers
from tests.overview.test_lists import deposit, payout, transfer
from tests.passkeys.devices import added
from tests.payouts.orders import WALLETS
from tests.refusals import refused
from tests.statements.history import opened
from tests.teams.people import id_of, invite, join, link_to, verify
from tests.test_mode.payments import paid_in_test
from tests.unchanged import nothing_changes
from tests.web.doors import DOCUMENT, operations
from tests.webhooks.test_delivery import happen

ITEMS = [
    (method, path.removeprefix("/api"), operation)
    for method, path, operation in operations()
    if "{" in path and path.startswith("/api/client/")
]
TO_OTHERS = {("POST", "/client/invoices/{invoice_id}/pay")}
"""What is meant for others than the owner."""


def _request(actor: Actor) -> str:
    make_key(actor).get("/client/balance")
    recording.collect(10)
    return str(actor.get("/client/requests").get_json()["requests"][0]["id"])


def _hook(actor: Actor) -> str:
    order = {"url": "https://example.com/hook", "events": ["transfer.completed"]}
    return str(actor.post("/client/webhooks", order).get_json()["webhook"]["id"])


def _event(actor: Actor) -> str:
    happen(actor)
    return str(actor.get("/client/events").get_json()["events"][-1]["id"])


def _address(actor: Actor) -> str:
    order = {"label": "Cold", "address": WALLETS["Base"], "network": "Base"}
    answer = actor.post("/client/addresses", order)
    return str(next(iter(answer.get_json().values()))["id"])


def _wallet(actor: Actor) -> str:
    return str(next(iter(signers.link(actor, signers.solana()).get_json().values()))["id"])


def _key(actor: Actor) -> str:
    order = {"name": "Mine", "permissions": ["balance:read"]}
    return str(actor.post("/client/api-keys", order).get_json()["key"]["id"])


def _fault(actor: Actor) -> str:
    order = {"kind": "internal_error", "route": "/api/client/nothing"}
    return str(actor.post("/client/test/faults", order).get_json()["fault"]["id"])


def _passkey(actor: Actor) -> str:
    added(actor)
    return str(actor.get("/client/passkeys").get_json()["passkeys"][0]["id"])


def _month(actor: Actor) -> str:
    opened(actor.id, datetime(2026, 1, 1, tzinfo=UTC))
    return "2026-01"


def _invitation(actor: Actor) -> str:
    verify(actor)
    made = invite(actor, "anna@example.com", "viewer")
    return str(made["id"])


def _joined(person: Actor, account: Actor) -> Actor:
    verify(person, account)
    invite(account, person.email, "viewer")
    assert join(person, link_to(person.email)).status_code == 200
    return person


def _membership(actor: Actor, account: Actor) -> str:
    _joined(actor, account)
    return str(actor.get("/client/memberships").get_json()["memberships"][0]["id"])


OWNED: Mapping[str, Callable[[Actor, Actor], str]] = {
    "session_id": lambda actor, _: sessions(actor)[0]["id"],
    "deposit_id": lambda actor, _: deposit(actor),
    "payout_id": lambda actor, _: payout(actor),
    "transfer_id": transfer,
    "line_id": transfer,
    "key_id": lambda actor, _: _key(actor),
    "webhook_id": lambda actor, _: _hook(actor),
    "event_id": lambda actor, _: _event(actor),
    "invoice_id": lambda actor, _: ask(actor, "5").id,
    "wallet_id": lambda actor, _: _wallet(actor),
    "address_id": lambda actor, _: _address(actor),
    "passkey_id": lambda actor, _: _passkey(actor),
    "row_id": lambda actor, _: _request(actor),
    "month": lambda actor, _: _month(actor),
    "member_id": lambda actor, other: id_of(actor, _joined(other, actor)),
    "invitation_id": lambda actor, _: _invitation(actor),
    "membership_id": _membership,
    "payment_id": lambda actor, _: paid_in_test(actor),
    "fault_id": lambda actor, _: _fault(actor),
    "document_id": lambda actor, _: upload(actor).get_json()["document"]["id"],
}
"""How somebody comes to own one of each thing that a path can name."""


def _body(operation: dict[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return deepcopy(DOCUMENT["components"]["schemas"][name]["examples"][0]) if name else None


def _names(path: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", path)


def test_every_kind_of_thing_in_a_path_has_an_owner():
    assert {name for _, path, _ in ITEMS for name in _names(path)} == set(OWNED)
    assert len(ITEMS) > 20


def test_every_route_of_clients_has_its_row_of_keys():
    """``OPENS`` and ``MANAGING`` together are the clients' routes, each once."""
    shape = re.compile(rf"/(evt_)?cm?a{{20,}}|/{MONTH}|/\{{\w+\}}")
    routes = {
        (method, shape.sub("/{}", path.removeprefix("/api")))
        for method, path, _ in operations()
        if path.startswith("/api/client/")
    }
    rows = [(method, shape.sub("/{}", path)) for method, path in (*OPENS, *MANAGING)]
    assert len(rows) == len(set(rows))
    assert {(m, p) for m, p in routes if m != "HEAD"} == set(rows)


@pytest.mark.checklist(113)
@pytest.mark.parametrize(
    ("method", "path", "operation"), ITEMS, ids=[f"{method} {path}" for method, path, _ in ITEMS]
)
def test_what_is_anothers_is_not_there_and_stays_as_it_is(
    alice: Actor, bob: Actor, mallory: Actor, method: str, path: str, operation: dict[str, Any]
):
    there = path.format(**{name: OWNED[name](alice, bob) for name in _names(path)})
    body = _body(operation)
    if body and "since" in body:
        body = {"since": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z"}
    if (method, path) in TO_OTHERS:
        assert mallory.call(method, there, json=body).status_code == 200
        return

    with nothing_changes():
        refused(mallory.call(method, there, json=body), 404, "not_found")
    keys_may = bool(operation["security"][1:])
    refusal = (404, "not_found") if keys_may else (403, "insufficient_scope")
    refused(make_key(mallory, "full").call(method, there, json=body), *refusal)

    assert alice.call(method, there, json=body).status_code != 404, "it is there for its owner"


def test_nothing_answers_a_member_that_is_a_secret_but_the_named_ones():
    """By their names in every answer of the document; what is shown once is listed here."""
    named = re.compile(
        r"secret|password|hash$|digest|salt|seed|private|raw_?key|proof", re.IGNORECASE
    )
    shown = {
        (name, member)
        for name, schema in DOCUMENT["components"]["schemas"].items()
        for member in schema.get("properties", {})
        if named.search(member)
    }
    asked = {
        name
        for _, _, operation in operations()
        for name in re.findall(r"schemas/(\w+)", json.dumps(operation.get("requestBody", {})))
    }
    assert {(name, member) for name, member in shown if name not in asked} == {
        # Shown this once.
        ("NewKey", "rawKey"),
        ("SetupView", "secret"),
        ("WebhookWithSecret", "secret"),
        # Published, or a transaction's name.
        *((name, member) for name, member in shown if member in PUBLIC),
    }


PUBLIC = {"txHash", "hash", "chainHash", "reservesHash", "previousHash", "salt", "proof"}
"""Digests that are there to be compared, and a leaf's salt for its owner's eyes."""


def test_every_blueprint_is_behind_a_door_of_its_own(app: Flask):
    assert len(BLUEPRINTS) == len({blueprint.name for blueprint in BLUEPRINTS})
    assert app.blueprints.keys() >= {blueprint.name for blueprint in BLUEPRINTS}
