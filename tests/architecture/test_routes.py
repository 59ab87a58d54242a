"""Every route says who may call it, how often, what it does and what it answers."""

import subprocess
import sys
from pathlib import Path

from flask import Flask
from werkzeug.routing import Rule

from protonpay.app import BLUEPRINTS
from protonpay.web.access import NO_KEY
from protonpay.web.api import AreaBlueprint, Door

ROOT = Path(__file__).parents[2]
PAGES = {"portal", "metrics", "api-docs"}
"""Blueprints of pages: public, without an account, without side effects but one (the return)."""


def _is_client(rule: Rule) -> bool:
    return rule.rule.startswith("/api/client/")


def test_every_blueprint_has_a_door(app: Flask):
    areas = {blueprint.name for blueprint in BLUEPRINTS}
    assert all(isinstance(blueprint, AreaBlueprint) for blueprint in BLUEPRINTS)
    assert set(app.blueprints) == areas | PAGES


def test_every_client_route_is_behind_the_client_door(app: Flask):
    doors = {blueprint.name: blueprint.door for blueprint in BLUEPRINTS}
    for rule in app.url_map.iter_rules():
        area = rule.endpoint.partition(".")[0]
        if area in PAGES:
            continue
        wanted = Door.PUBLIC
        if _is_client(rule):
            wanted = Door.CLIENT
        if rule.rule.startswith("/api/auth/"):
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
    managed = ("api-keys", "password", "2fa", "sessions", "email")
    for rule in app.url_map.iter_rules():
        if _is_client(rule) and any(word in rule.rule for word in managed):
            assert access[rule.endpoint] is NO_KEY, rule.rule


def test_the_document_says_which_api_keys_a_route_lets_in(app: Flask):
    document = app.test_client().get("/api/openapi.json").get_json()
    schemes = document["components"]["securitySchemes"]
    assert {scheme["scheme"] for scheme in schemes.values()} == {"bearer"}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            credentials = [name for each in operation.get("security", []) for name in each]
            assert credentials[:1] == (["bearer"] if path.startswith("/api/client/") else []), path
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
