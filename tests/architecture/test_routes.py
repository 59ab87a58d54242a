"""Every route says who may call it, how often, what it does and what it answers."""

import subprocess
import sys
from pathlib import Path

from flask import Flask

from protonpay.app import BLUEPRINTS
from protonpay.web.api import AreaBlueprint, Door

ROOT = Path(__file__).parents[2]
PAGES = {"portal", "metrics", "api-docs"}
"""Blueprints of pages: public, without an account, without side effects but one (the return)."""


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
        if rule.rule.startswith("/api/client/"):
            wanted = Door.CLIENT
        if rule.rule.startswith("/api/auth/"):
            wanted = Door.AUTH
        assert doors[area] is wanted, rule.rule


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
