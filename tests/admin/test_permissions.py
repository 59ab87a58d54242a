"""Every route of operators by role, from the routes themselves: a new one without a row fails."""

import re

import pytest
from flask import Flask
from werkzeug.routing import Rule

from protonpay.admin.blueprint import blp
from protonpay.kernel.errors import Forbidden
from protonpay.operators.permissions import PAIRS, PERMISSIONS, Role, check
from tests.operators.desk import make_clerk
from tests.refusals import refused
from tests.unchanged import nothing_changes
from tests.web.doors import NOBODY

ALL = "support operator finance compliance admin"
EXPECTED = {
    "POST /logout": ALL,
    "GET /me": ALL,
    "GET /users": ALL,
    "GET /users/{}": ALL,
    "POST /users/{}/freeze": "support operator compliance",
    "POST /users/{}/thaw": "compliance",
    "POST /users/{}/plan": "operator",
    "GET /holds": "operator finance compliance",
    "POST /holds/{}/release": "compliance",
    "POST /holds/{}/refund": "compliance",
    "GET /kyc": "compliance",
    "GET /kyc/{}": "compliance",
    "POST /kyc/documents/{}/look": "compliance",
    "POST /kyc/{}/level": "compliance",
    "POST /kyc/{}/approve": "compliance",
    "POST /kyc/{}/reject": "compliance",
    "GET /payouts": "operator finance compliance",
    "POST /payouts/{}/approve": "finance",
    "POST /payouts/{}/refuse": "finance",
    "GET /adjustments": "operator finance compliance admin",
    "POST /adjustments": "operator",
    "POST /adjustments/{}/approve": "finance",
    "POST /adjustments/{}/refuse": "finance",
    "GET /switches": ALL,
    "POST /switches/pause": "operator compliance admin",
    "POST /switches/resume": "admin",
    "GET /cases": "operator finance compliance admin",
    "POST /cases/{}/close": "finance",
    "GET /audit": "compliance admin",
}
"""Written once more, by route: a slip in the table of actions is seen here."""
OUTSIDE = {"/api/admin/login", "/api/admin/openapi.json"}


def routes(app: Flask) -> list[tuple[str, Rule]]:
    return [
        (method, rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/admin/") and rule.rule not in OUTSIDE
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def _name(method: str, rule: Rule) -> str:
    return f"{method} {re.sub('<[^>]*>', '{}', rule.rule).removeprefix('/api/admin')}"


def test_every_route_has_its_row_and_its_action(app: Flask):
    named = {_name(method, rule): rule.endpoint for method, rule in routes(app)}
    assert named.keys() == EXPECTED.keys()
    actions = {name: blp.actions[endpoint] for name, endpoint in named.items()}
    for name, action in actions.items():
        assert {str(role) for role in PERMISSIONS[action]} == set(EXPECTED[name].split()), name
    assert set(actions.values()) == set(PERMISSIONS), "an action without a route"


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_what_its_rows_say_and_nothing_else(house: Flask, role: Role):
    clerk = make_clerk(house, role)
    last = [each for each in routes(house) if each[1].rule == "/api/admin/logout"]
    for method, rule in [each for each in routes(house) if each not in last] + last:
        path = re.sub("<[^>]*>", NOBODY, rule.rule).removeprefix("/api/admin")
        body = {} if method == "POST" and not path.endswith("logout") else None
        if role in EXPECTED[_name(method, rule)].split():
            answer = clerk.call(method, path, json=body)
            assert answer.status_code in {200, 204, 400, 404}, (path, answer.get_json())
        else:
            with nothing_changes():
                refused(clerk.call(method, path, json=body), 403, "role_insufficient")


def test_a_route_that_names_no_action_is_nobodys():
    for role in Role:
        with pytest.raises(Forbidden):
            check(role, "nobody")


def test_no_role_is_on_both_sides():
    for create, decide in PAIRS:
        assert PERMISSIONS[create], create
        assert PERMISSIONS[decide], decide
        assert PERMISSIONS[create].isdisjoint(PERMISSIONS[decide]), (create, decide)
