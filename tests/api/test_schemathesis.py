"""schemathesis reads the served document and looks for what is not as it says, all checks on."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from schemathesis.engine import events, from_schema
from schemathesis.specs.openapi.coverage import _schema as coverage

from protonpay.events import waiting
from protonpay.test_mode import failing
from tests.actors import PASSWORD, Actor
from tests.api.conftest import Served

pytestmark = pytest.mark.slow

# A body that fits the document may be refused for what the document cannot say.
BEYOND_THE_DOCUMENT = {
    "dateOfBirth",  # of somebody who is of age today
    "timeZone",  # a name that the IANA has given
    "allowedIps",  # a network without bits behind its mask
    "tolerance",  # less than the amount beside it
    "expiresAt",  # after the end an invoice has, and not too far from when it was made
    "redirectUrl",  # an address with a host and without credentials
    "embedOrigin",  # a scheme, a host and a port
}
CONFIG: dict[str, Any] = {
    "seed": 1,
    # The machine may be busy.
    "suppress-health-check": ["too_slow"],
    "generation": {"deterministic": True, "max-examples": 3, "database": "none"},
    "phases": {
        "coverage": {"unexpected-methods": ["put", "trace"]},
        "stateful": {"generation": {"max-examples": 10}},
    },
    "checks": {
        # Insufficient balance, an unknown currency and so on are 400 by contract; what may not
        # be refused is looked at by fitting_data_is_valid.
        "positive_data_acceptance": {
            "expected-statuses": ["2xx", "3xx", "400", "401", "403", "404", "409"]
        },
    },
    "operations": [
        {
            # Five letters an hour, however fitting the question is.
            "include-path": "/api/client/email/verification",
            "checks": {
                "positive_data_acceptance": {"expected-statuses": ["2xx", "403", "409", "429"]},
            },
        },
        {
            # Nobody works here, and it says so with the 503 that it describes.
            "include-path": "/api/ready",
            "checks": {
                "positive_data_acceptance": {"expected-statuses": ["200", "503"]},
                "not_a_server_error": {"expected-statuses": ["200", "4xx", "503"]},
            },
        },
    ],
}

# What fits our pattern of an address is one. Told so by a right one and by near misses, it does not
# draw thousands that fit the pattern to find one that is no address: there is none.
coverage._FORMAT_PROBES["email"] = (
    ("john@example.com",),
    ("john", "@example.com", "john@", "jo hn@example.com", "john@exa_mple.com"),
)


@pytest.fixture(autouse=True)
def _no_fault_is_met(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that asks for a fault by chance is answered by it: rightly, and by no bug."""
    monkeypatch.setattr(failing, "_asked_for", lambda: None)


@pytest.fixture(autouse=True)
def _nobody_waits_for_events(served: Served) -> Iterator[None]:
    with waiting.room.place("somebody", 1):
        yield


@schemathesis.check
def fitting_data_is_valid(_context: Any, response: Any, case: Any) -> None:
    """What fits the document is never refused as malformed, or for a member that does not fit."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if response.status_code != 400:
        return
    body = response.json()
    named = {name for members in body.get("errors", {}).values() for name in members}
    assert named <= BEYOND_THE_DOCUMENT, body
    assert body["code"] != "malformed_json", body


@dataclass
class Found:
    """What a run saw."""

    failures: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    phases: dict[str, str] = field(default_factory=dict)
    operations: set[str] = field(default_factory=set)


def run(served: Served, sends: type, *, coverage: bool) -> Found:
    phases = {**CONFIG["phases"], **({} if coverage else {"coverage": {"enabled": False}})}
    config = schemathesis.Config.from_dict({**CONFIG, "phases": phases})
    schema = schemathesis.openapi.from_url(f"{served.url}/api/openapi.json", config=config)
    schema.auth(refresh_interval=None)(sends)
    found = Found()
    for event in from_schema(schema).execute():
        if isinstance(event, events.PhaseFinished):
            found.phases[event.phase.name.value] = event.status.value
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.failures.append(str(event))
        elif isinstance(event, events.ScenarioFinished):
            _note(event.recorder, found)
    return found


def _note(recorder: Any, found: Found) -> None:
    for node in recorder.cases.values():
        found.operations.add(node.value.operation.label)
    for interaction in recorder.interactions.values():
        if interaction.response is not None:
            found.statuses[interaction.response.status_code] += 1
    for checks in recorder.checks.values():
        for check in checks:
            if check.failure_info is not None:
                failure = check.failure_info.failure
                said = f"{check.name}: {failure.operation}: {failure.message}"
                found.failures.append(f"{said}\n{check.failure_info.code_sample}")


def signs_in(alice: Actor) -> type:
    """Make what sends a user's token; a session that is going to be ended is one of its own."""

    class SignsIn:
        def get(self, case: Any, _context: Any) -> str:
            if not case.operation.path.endswith("/logout"):
                return alice.token
            who = {"email": alice.email, "password": PASSWORD}
            token: str = alice.client.post("/api/auth/login", json=who).get_json()["token"]
            return token

        def set(self, case: Any, data: str, _context: Any) -> None:
            case.headers["Authorization"] = f"Bearer {data}"

    return SignsIn


def sends_key(raw: str) -> type:
    class SendsKey:
        def get(self, _case: Any, _context: Any) -> str:
            return raw

        def set(self, case: Any, data: str, _context: Any) -> None:
            case.headers["Authorization"] = f"Bearer {data}"

    return SendsKey


def _operations(served: Served) -> set[str]:
    document = served.alice.client.get("/api/openapi.json").get_json()
    return {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
        if method != "parameters"
    }


def test_a_user_finds_the_document_true(served: Served):
    found = run(served, signs_in(served.alice), coverage=True)

    assert found.failures == []
    assert {name for name, status in found.phases.items() if status == "success"} >= {
        "examples",
        "coverage",
        "fuzzing",
        "stateful",
    }, found.phases
    assert found.operations == _operations(served)
    # It got somewhere: things were made, found, changed and removed, and refused in every way.
    assert set(found.statuses) >= {200, 204, 400, 401, 404, 405, 409, 415}, found.statuses
    assert found.statuses[200] > 100
    assert found.statuses[500] == 0


def test_an_api_key_finds_the_document_true(served: Served):
    made = served.alice.post("/client/api-keys", {"name": "For schemathesis"})
    raw = made.get_json()["key"]["rawKey"]

    found = run(served, sends_key(raw), coverage=False)

    assert found.failures == []
    assert found.operations == _operations(served)
    assert set(found.statuses) >= {200, 204, 400, 401, 403, 404}, found.statuses
    assert found.statuses[500] == 0
