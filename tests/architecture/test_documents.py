"""What is generated and committed equals what the code says; UPDATE_DOCS=1 writes it anew."""

import importlib
import json
from pathlib import Path

from flask import Flask

from protonpay.kernel.states import StateMachine
from tests.architecture.written import compare

ROOT = Path(__file__).parents[2]


def test_openapi_document(app: Flask):
    document = app.test_client().get("/api/openapi.json").get_json()
    compare("openapi.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def test_the_operators_document(app: Flask):
    document = app.test_client().get("/api/admin/openapi.json").get_json()
    compare("openapi-admin.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def test_state_diagrams():
    machines = [
        machine
        for path in sorted(ROOT.glob("protonpay/*/states.py"))
        for machine in vars(
            importlib.import_module(f"protonpay.{path.parent.name}.states")
        ).values()
        if isinstance(machine, StateMachine)
    ]
    parts = ["# States\n\nGenerated from each room's `states.py` by `make states`."]
    parts += [
        f"## {machine.name.capitalize()}\n\n```mermaid\n{machine.as_mermaid()}\n```"
        for machine in machines
    ]
    compare("states.md", "\n\n".join(parts) + "\n")
