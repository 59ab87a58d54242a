"""What a route says of API keys, and what becomes of one that says nothing."""

from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from protonpay.kernel.scopes import FULL, Scope
from protonpay.web import auth, errors
from protonpay.web.access import ANY_KEY, NO_KEY, either, needs
from protonpay.web.api import AreaBlueprint, Door

READ, ACTIVITY, PAY = Scope.BALANCE_READ, Scope.ACTIVITY_READ, Scope.TRANSFERS_WRITE


@pytest.mark.parametrize(
    ("access", "permissions", "expected"),
    [
        (needs(READ), [READ], True),
        (needs(READ), [ACTIVITY, READ], True),
        (needs(READ), [ACTIVITY], False),
        (needs(READ, ACTIVITY), [READ], False),
        (needs(READ, ACTIVITY), ["activity:read", "balance:read"], True),
        (either(READ, ACTIVITY), [ACTIVITY], True),
        (either(READ, ACTIVITY), [PAY], False),
        (needs(READ), [FULL], True),
        (ANY_KEY, [PAY], True),
        (ANY_KEY, [FULL], True),
        (NO_KEY, [FULL], False),
        (NO_KEY, list(Scope), False),
        (needs(READ), [], False),
    ],
)
def test_who_comes_in(access: Any, permissions: list[str], *, expected: bool):
    assert access.lets_in(permissions) is expected


def test_what_would_let_a_key_in():
    assert needs(READ, ACTIVITY).wanted() == "activity:read + balance:read"
    assert either(ACTIVITY, PAY).wanted() == "activity:read | transfers:write"
    assert NO_KEY.wanted() == ANY_KEY.wanted() == ""


def test_what_the_document_says():
    assert NO_KEY.as_security() == [{"bearer": []}]
    assert ANY_KEY.as_security() == [{"bearer": []}, {"apiKey": []}]
    assert either(ACTIVITY, PAY).as_security() == [
        {"bearer": []},
        {"apiKey": ["activity:read"]},
        {"apiKey": ["transfers:write"]},
    ]


def _unnoted(_address: str, **_use: str) -> None:
    """Note no use."""


@pytest.fixture
def ask(house: Flask, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ask a route of an application of its own, with a key that may do everything."""
    key = SimpleNamespace(id="k", user_id="u", permissions=[FULL], note_use=_unnoted)
    monkeypatch.setattr(auth.keys, "_open", lambda _raw, _address: key)

    def send(**said: Any) -> TestResponse:
        blp = AreaBlueprint("area", __name__, door=Door.CLIENT, prefix="/client", about="")
        blp.get("/thing", **said)(lambda: {"user": auth.current().user_id})
        app = Flask(__name__)
        errors.init_app(app)
        app.register_blueprint(blp)
        headers = {"Authorization": "Bearer sk_live_x"}
        return app.test_client().get("/api/client/thing", headers=headers)

    return send


def test_a_route_that_says_which_keys_it_lets_in_does(ask: Any):
    assert ask(keys=needs(READ)).get_json() == {"user": "u"}


def test_a_route_that_says_nothing_lets_no_key_in(ask: Any):
    answer = ask()
    assert (answer.status_code, answer.get_json()["code"]) == (403, "insufficient_scope")
