"""Every route says who may call it, how often, what it does and what it answers."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from marshmallow import fields
from werkzeug.routing import Rule

from protonpay.app import ADMIN_BLUEPRINTS, BLUEPRINTS
from protonpay.teams.permissions import GRANTS
from protonpay.web.access import NO_KEY
from protonpay.web.api import AreaBlueprint, Door
from protonpay.web.fields import WireSchema
from protonpay.web.idempotency import in_steps

ROOT = Path(__file__).parents[2]
PAGES = {
    *("portal", "letters", "components", "reference", "metrics", "api-docs", "admin-api-docs"),
    *("client", "entry", "pay", "troubles"),
}
"""Blueprints of pages: public and without side effects but one (the return); of those for whom a
browser is signed in ("client", "entry"), tests/portal/client tries each route."""


def _is_client(rule: Rule) -> bool:
    return rule.rule.startswith("/api/client/")


def test_every_blueprint_has_a_door(app: Flask):
    every = (*BLUEPRINTS, *ADMIN_BLUEPRINTS)
    areas = {blueprint.name for blueprint in every}
    assert all(isinstance(blueprint, AreaBlueprint) for blueprint in every)
    assert set(app.blueprints) == areas | PAGES


def test_every_client_route_is_behind_the_client_door(app: Flask):
    doors = {blueprint.name: blueprint.door for blueprint in (*BLUEPRINTS, *ADMIN_BLUEPRINTS)}
    for rule in app.url_map.iter_rules():
        area = rule.endpoint.partition(".")[0]
        if area in PAGES:
            continue
        wanted = Door.PUBLIC
        if _is_client(rule):
            wanted = Door.CLIENT
        if rule.rule.startswith("/api/admin/"):
            wanted = Door.OPERATOR
        if rule.rule.startswith("/api/auth/") or rule.rule == "/api/admin/login":
            wanted = Door.AUTH
        assert doors[area] is wanted, rule.rule


def test_every_client_route_says_which_api_keys_it_lets_in(app: Flask):
    """Scopes, any key, or none (``web/access.py``): whoever adds a route decides it."""
    declared = {name for blueprint in BLUEPRINTS for name in blueprint.access}
    client = {rule.endpoint: rule.rule for rule in app.url_map.iter_rules() if _is_client(rule)}

    assert {client[name] for name in client.keys() - declared} == set()
    assert declared <= client.keys(), "only client routes know keys"


def test_no_key_manages_keys_or_sessions(app: Flask):
    """Decision 6: whatever a leaked key may do, it does not make another or lock its owner out."""
    access = {name: each for blueprint in BLUEPRINTS for name, each in blueprint.access.items()}
    managed = ("api-keys", "password", "2fa", "sessions", "email", "team", "memberships")
    for rule in app.url_map.iter_rules():
        if _is_client(rule) and any(word in rule.rule for word in managed):
            assert access[rule.endpoint] is NO_KEY, rule.rule


def test_every_client_route_has_its_row_of_members(app: Flask):
    """Whoever adds a route decides which roles of a team may call it, or none of them."""
    routes = {rule.endpoint for rule in app.url_map.iter_rules() if _is_client(rule)}
    assert routes - GRANTS.keys() == set(), "protonpay/teams/permissions.py"
    assert GRANTS.keys() <= routes, "only what is a route can be granted"


def test_no_member_reaches_the_owners_sign_in(app: Flask):
    personal = {"account", "two_factor", "passkeys", "memberships"}
    named = {endpoint for endpoint in GRANTS if endpoint.partition(".")[0] in personal}
    assert len(named) > len(personal)
    assert [endpoint for endpoint in named if GRANTS[endpoint]] == []


def test_the_document_says_which_api_keys_a_route_lets_in(app: Flask):
    document = app.test_client().get("/api/openapi.json").get_json()
    schemes = document["components"]["securitySchemes"]
    assert {scheme["scheme"] for scheme in schemes.values()} == {"bearer"}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            credentials = [name for each in operation.get("security", []) for name in each]
            signed_in = path.startswith("/api/client/") or path == "/api/auth/logout"
            assert credentials[:1] == (["bearer"] if signed_in else []), path
            assert set(credentials) <= set(schemes), (method, path)
    balance = document["paths"]["/api/client/balance"]["get"]["security"]
    assert balance == [{"bearer": []}, {"apiKey": ["balance:read"]}]
    assert document["paths"]["/api/client/api-keys"]["post"]["security"] == [{"bearer": []}]


def test_every_operation_has_a_summary_and_describes_its_success(app: Flask):
    document = app.test_client().get("/api/openapi.json").get_json()
    assert document["openapi"] == "3.1.0"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            assert operation["summary"].endswith((".", "not.")), (method, path)
            successes = [code for code in operation["responses"] if code.startswith("2")]
            assert successes, (method, path)


NO_LISTS = {
    "/api/client/dashboard": "its lines are the first ones of /client/activity",
    "/api/client/fees": "its rows are the levels of one plan, three at most",
    "/api/client/deposit/providers": "what may be offered now, and in which currencies",
    "/api/client/notifications/preferences": "every kind, each with a choice",
    "/api/client/kyc/documents": "a handful, six of each submission",
    "/api/client/invoices/{invoice_id}": "one invoice, with all that belongs to it",
}
"""Answers with rows that are a part of something else, and which."""


def test_every_list_of_clients_can_be_had_as_csv(app: Flask):
    """A new list says so by its schema (``web.paging.Listing``), or why it is none, above."""
    document = app.test_client().get("/api/openapi.json").get_json()
    lists, sheets = set(), set()
    for path, operations in document["paths"].items():
        if not path.startswith("/api/client/") or "get" not in operations:
            continue
        content = operations["get"]["responses"]["200"]["content"]
        members = dict(_own_members(content["application/json"]["schema"], document))
        if any(_is_rows(member) for member in members.values()):
            lists.add(path)
        if "text/csv" in content:
            sheets.add(path)
            forms = [one for one in operations["get"]["parameters"] if one.get("name") == "format"]
            assert {"csv", "csv-bom", "json"} <= set(forms[0]["schema"]["enum"]), path
    assert lists - sheets == NO_LISTS.keys()
    assert len(sheets) > 10
    assert sheets - lists == {"/api/client/statements/{month}"}, "a table, inside of one thing"


def _is_rows(member: dict[str, Any]) -> bool:
    items = member.get("items", {})
    return "$ref" in items or "properties" in items


def _own_members(schema: dict[str, Any], document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    yield from schema.get("properties", {}).items()


def _posts_of_clients(app: Flask) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    document = app.test_client().get("/api/openapi.json").get_json()
    for path, operations in document["paths"].items():
        if path.startswith("/api/client/") and "post" in operations:
            yield path, operations["post"], document


def test_every_post_of_a_client_is_done_once_under_a_key(app: Flask):
    posts = [
        app.view_functions[rule.endpoint]
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/client/") and "POST" in (rule.methods or ())
    ]
    assert len(posts) == len(list(_posts_of_clients(app))) > 0
    assert [view.__name__ for view in posts if not getattr(view, "once", False)] == []


def test_the_document_shows_the_key_and_the_headers_of_a_repeated_answer(app: Flask):
    for path, operation, document in _posts_of_clients(app):
        parameter = {"$ref": "#/components/parameters/Idempotency-Key"}
        assert parameter in operation["parameters"], path
        success = _good(operation)["headers"]
        assert set(success) >= {"Idempotent-Replayed", "X-Original-Request-Id"}, path
        for described in success.values():
            assert described["$ref"].rpartition("/")[2] in document["components"]["headers"]
    described = document["components"]["parameters"]["Idempotency-Key"]
    assert (described["in"], described["required"]) == ("header", False)


def test_no_other_operation_shows_a_key(app: Flask):
    document = app.test_client().get("/api/openapi.json").get_json()
    shown = [
        (path, method)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if "Idempotency-Key" in str(operation)
    ]
    assert set(shown) == {(path, "post") for path, _, _ in _posts_of_clients(app)}


def test_a_secret_in_a_clients_answer_is_one_that_is_not_repeated_for_long(app: Flask):
    secret = re.compile("secret|rawKey|token|password|recovery", re.IGNORECASE)
    for path, operation, document in _posts_of_clients(app):
        schema = _good(operation)["content"]["application/json"]["schema"]
        for name, described in _members(schema, document):
            if secret.search(name):
                assert "null" in described["type"], f"{path}: {name} is a fields.Secret"


def _good(operation: dict[str, Any]) -> dict[str, Any]:
    responses = operation["responses"]
    answer: dict[str, Any] = responses.get("200") or responses["202"]
    return answer


def _members(schema: dict[str, Any], document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, described in _own_members(schema, document):
        yield name, described
        yield from _members(described.get("items", described), document)


def test_a_view_goes_in_steps_where_its_service_does():
    for blueprint in ROOT.glob("protonpay/*/blueprint.py"):
        room = blueprint.parent.glob("*.py")
        begins = any("idempotency.begin(" in part.read_text() for part in room)
        assert begins == ("@in_steps" in blueprint.read_text()), blueprint.parent.name


class _Order(WireSchema):
    what = fields.String()


def _area() -> AreaBlueprint:
    return AreaBlueprint("area", __name__, door=Door.CLIENT, prefix="/client", about="A test's")


def _view(*_: Any) -> dict[str, Any]:
    """Do something."""
    return {}


def test_a_room_cannot_forget_the_key():
    area = _area()
    with pytest.raises(TypeError, match="done once"):
        area.post("/thing")(_view)


def test_a_room_cannot_hide_its_body_from_the_key():
    area = _area()
    with pytest.raises(TypeError, match="stands above"):
        area.response(200, _Order)(area.arguments(_Order)(_view))


def test_a_room_cannot_say_in_steps_where_nobody_hears_it():
    area = _area()
    with pytest.raises(TypeError, match="stands below"):
        in_steps(area.response(200, _Order)(_view))


def test_web_processes_import_no_chain_library(settings: dict[str, str]):
    """Decision 26: web3 and solders cost seconds and tens of megabytes; workers alone pay."""
    heavy = {"web3", "solders", "solana", "spl", "eth_account"}
    program = f"import sys, wsgi; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        env=settings,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
