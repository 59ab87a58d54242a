"""Every identity provider of the registry, and the one the documents print, is as the port says."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from protonpay.identity.port import (
    REASONS,
    Application,
    IdentityProvider,
    Outcome,
    Paper,
    Verdict,
)
from protonpay.identity.registry import MANUAL, PROVIDERS, IdentityProviders
from protonpay.kernel.errors import Unavailable
from protonpay.wire.http import NoAnswer
from tests.kyc.papers import PDF, PNG
from tests.listening import leave, listen

RECIPE = Path(__file__).parents[2] / "docs" / "adding-an-identity-provider.md"
PRINTED = "printed"
APPLICATION = Application(
    id="cmg7xk2p91q0v8r3t5w6y4zab-1",
    full_name="Алиса Doe",
    date_of_birth=date(1990, 1, 31),
    country="AE",
    document_kind="PASSPORT",
    document_number="K1234567",
    papers=[Paper("FRONT", "image/png", PNG), Paper("PROOF_OF_ADDRESS", "application/pdf", PDF)],
)


class Other:
    """The other side: knows applicants, and says of each what it was told to say.

    Attributes:
        says: the raw answer of every call, instead of the true one.
    """

    def __init__(self) -> None:
        self.applicants: dict[str, dict[str, Any]] = {}
        self.status: dict[str, Any] = {"status": "pending"}
        self.says: tuple[int, bytes] | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        listen(self._server)

    def close(self) -> None:
        leave(self._server)

    def posted(self, key: str, body: bytes) -> dict[str, Any]:
        self.applicants.setdefault(key, json.loads(body))
        return {"id": f"app-{list(self.applicants).index(key)}"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        other = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self._answer(other.posted(self.headers["Idempotency-Key"], body))

            def do_GET(self) -> None:
                known = self.path.rpartition("-")[2].isdecimal()
                self._answer(other.status if known else {})

            def _answer(self, told: Any) -> None:
                status, body = other.says or (200, json.dumps(told).encode())
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                return

        return Handler


def _printed(other: Other) -> IdentityProvider:
    code = re.findall(r"```python\n(.*?)```", RECIPE.read_text(), re.DOTALL)[0]
    module = ModuleType("protonpay.identity.example")
    exec(compile(code, str(RECIPE), "exec"), module.__dict__)
    made: IdentityProvider = module.Example(other.url, "a key", read_seconds=0.5)
    return made


def _manual(_: Other) -> IdentityProvider:
    found = IdentityProviders()
    found.bind(MANUAL, {})
    return found.get(MANUAL)


@dataclass(frozen=True)
class Played:
    """How a provider is made, and what its other side says for each verdict.

    Attributes:
        verdicts: what ``Other.status`` is, and the verdict that it means; every one that the
            adapter knows, one for each reason at least, and some words that it does not know.
        outside: whether somebody is asked over HTTP, who may be silent or speak nonsense.
    """

    make: Callable[[Other], IdentityProvider]
    verdicts: list[tuple[Mapping[str, Any], Verdict]] = field(default_factory=list)
    outside: bool = True


PLAYED: Mapping[str, Played] = {
    MANUAL: Played(_manual, [({"status": "approved"}, Verdict(Outcome.UNKNOWN))], outside=False),
    PRINTED: Played(
        _printed,
        [
            ({"status": "approved"}, Verdict(Outcome.YES)),
            ({"status": "declined", "code": "EXPIRED"}, Verdict(Outcome.NO, "document_expired")),
            ({"status": "declined", "code": "BLURRED"}, Verdict(Outcome.NO, "document_unreadable")),
            ({"status": "declined"}, Verdict(Outcome.NO, "other")),
            ({"status": "pending"}, Verdict(Outcome.UNKNOWN)),
            ({"status": "DECLINED"}, Verdict(Outcome.UNKNOWN)),
            ({"status": ["approved"]}, Verdict(Outcome.UNKNOWN)),
            ({"status": None}, Verdict(Outcome.UNKNOWN)),
            ({}, Verdict(Outcome.UNKNOWN)),
        ],
    ),
}
"""By the name in the registry: a provider without a line here fails."""
OUTSIDE = [name for name, played in PLAYED.items() if played.outside]
NONSENSE = [
    (500, b"{}"),
    (503, b""),
    (404, b"{}"),
    (302, b""),
    (200, b""),
    (200, b"<html>"),
    (200, b"[]"),
    (200, b"null"),
    (401, b'{"status": "declined"}'),
]


@pytest.fixture
def other() -> Iterator[Other]:
    other = Other()
    yield other
    other.close()


def test_every_provider_of_the_registry_is_played():
    assert set(PLAYED) == {*PROVIDERS, PRINTED}


@pytest.mark.parametrize("name", PLAYED)
def test_it_is_what_the_port_asks_for(name: str, other: Other):
    provider = PLAYED[name].make(other)
    assert provider.name
    assert provider.ask_again_seconds is None or provider.ask_again_seconds >= 1
    assert (provider.ask_again_seconds is None) == (not PLAYED[name].outside)


@pytest.mark.parametrize("name", PLAYED)
def test_an_application_is_handed_in_once_however_often_it_is_said(name: str, other: Other):
    played = PLAYED[name]
    first = played.make(other).hand_in(APPLICATION)
    assert first == played.make(other).hand_in(APPLICATION) != ""
    another = played.make(other).hand_in(replace(APPLICATION, id=f"{APPLICATION.id}0"))
    assert another != first
    assert len(other.applicants) == (2 if played.outside else 0)
    if played.outside:
        told = json.dumps(next(iter(other.applicants.values())), ensure_ascii=False)
        for fact in ("Алиса Doe", "1990-01-31", "AE", "PASSPORT", "K1234567"):
            assert fact in told


@pytest.mark.parametrize("name", PLAYED)
def test_a_verdict_is_yes_no_or_unknown(name: str, other: Other):
    provider = PLAYED[name].make(other)
    reference = provider.hand_in(APPLICATION)
    for said, verdict in PLAYED[name].verdicts:
        other.status = dict(said)
        assert provider.verdict(reference) == verdict, said
        assert provider.verdict(reference) == verdict, "asking changes nothing"
    if PLAYED[name].outside:
        outcomes = {verdict.outcome for _, verdict in PLAYED[name].verdicts}
        assert outcomes == set(Outcome), "one of each is played"


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("says", NONSENSE, ids=str)
def test_nonsense_is_never_a_verdict(name: str, says: tuple[int, bytes], other: Other):
    provider = PLAYED[name].make(other)
    reference = provider.hand_in(APPLICATION)
    other.says = says
    with pytest.raises(NoAnswer) as told:
        provider.hand_in(APPLICATION)
    assert "K1234567" not in repr(told.value)
    with pytest.raises(NoAnswer):
        provider.verdict(reference)


@pytest.mark.parametrize("name", OUTSIDE)
def test_silence_is_no_answer(name: str, other: Other):
    provider = PLAYED[name].make(other)
    reference = provider.hand_in(APPLICATION)
    other.close()
    with pytest.raises(NoAnswer):
        provider.verdict(reference)
    with pytest.raises(NoAnswer):
        provider.hand_in(APPLICATION)


def test_nothing_of_a_person_is_printed():
    assert repr(APPLICATION) == f"Application(id='{APPLICATION.id}')"


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [(Outcome.NO, None), (Outcome.NO, "because"), (Outcome.YES, "other"), (Outcome.UNKNOWN, "x")],
)
def test_a_no_has_a_reason_of_ours_and_nothing_else_has_one(outcome: Outcome, reason: str | None):
    with pytest.raises(ValueError, match=str(outcome)):
        Verdict(outcome, reason)
    assert all(Verdict(Outcome.NO, each).reason == each for each in REASONS)


def test_what_is_not_set_up_is_not_asked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(PROVIDERS, "other", "protonpay.identity.nowhere:Other")  # type: ignore[arg-type]
    found = IdentityProviders()
    found.bind("other", {})
    with pytest.raises(Unavailable):
        found.get("other")
    with pytest.raises(Unavailable):
        found.get("gone")
    with pytest.raises(LookupError):
        found.bind("gone", {})
