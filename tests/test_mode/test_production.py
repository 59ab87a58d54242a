"""In production nothing of test mode is there: no route, no page, no word of it."""

from collections.abc import Iterator, Mapping

import pytest
from flask import Flask

from protonpay.test_mode import failing
from tests.another_app import another_app
from tests.refusals import refused
from tests.roof.test_config import PRODUCTION
from tests.web.doors import DOCUMENT

OURS = {"/api/client/test/payments", "/api/client/test/payments/{payment_id}"}
OURS |= {"/api/client/test/kyc"}
OURS |= {"/api/client/test/invoices/{invoice_id}/expire"}
OURS |= {"/api/client/test/faults", "/api/client/test/faults/{fault_id}"}
SCREENS = ("/app/test", "/app/test/payments", "/app/test/kyc", "/app/test/faults")
SCREENS += ("/app/test/invoices/<id:invoice_id>/expire",)
SCREENS += ("/app/test/faults/<id:fault_id>/remove",)
KEPT = ("DATABASE_URL", "REDIS_URL", "KEYRING_PATH")


@pytest.fixture(scope="module")
def production(settings: Mapping[str, str]) -> Iterator[Flask]:
    kept = {name: settings[name] for name in KEPT}
    real = {**PRODUCTION, "TAP_BASE_URL": "https://api.tap.company/v2", **kept}
    with another_app(settings, **real, PROTONPAY_ENV="production") as app:
        yield app


def test_no_route_is_there(production: Flask, app: Flask):
    def rules(of: Flask) -> set[str]:
        return {rule.rule for rule in of.url_map.iter_rules() if "/test" in rule.rule}

    assert rules(production) == {"/api/client/webhooks/<id:webhook_id>/test"} | {
        "/app/webhooks/<id:webhook_id>/test"
    }
    assert len(rules(app) - rules(production)) == len(OURS) + len(SCREENS)


@pytest.mark.parametrize("path", ["/client/test/payments", "/client/test/kyc"])
def test_they_are_answered_as_what_never_was(production: Flask, path: str):
    caller = production.test_client()
    for method in ("GET", "POST"):
        refused(caller.open(f"/api{path}", method=method, json={}), 404, "not_found")
        refused(caller.open("/api/client/nothing", method=method, json={}), 404, "not_found")


def test_neither_document_nor_reference_tells_of_them(production: Flask):
    caller = production.test_client()
    told = caller.get("/api/openapi.json").get_json()
    assert DOCUMENT["paths"].keys() - told["paths"].keys() == OURS
    assert "test" not in {tag["name"] for tag in told["tags"]}
    assert "TestPayment" not in str(told["components"])
    reference = caller.get("/docs")
    assert reference.status_code == 200
    assert "/client/test" not in reference.get_data(as_text=True)


def test_nothing_stands_between_a_call_and_what_does_it(production: Flask, app: Flask):
    def where_faults_are_met(of: Flask) -> set[str]:
        ours = failing._around.__code__.co_consts
        return {name for name, view in of.view_functions.items() if view.__code__ in ours}

    assert "transfers.transfer" in where_faults_are_met(app)
    assert where_faults_are_met(production) == set()
