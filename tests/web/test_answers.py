"""What every answer carries."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from prometheus_client import REGISTRY

from tests.actors import Actor

OURS = re.compile(r"req_c[a-z0-9]{24}")


@pytest.mark.parametrize("given", ["a" * 8, "A-b_9" * 4, "0" * 64])
def test_a_request_id_that_is_one_is_kept(client: FlaskClient, given: str):
    answer = client.get("/api/health", headers={"X-Request-Id": given})

    assert answer.headers["X-Request-Id"] == given


@pytest.mark.checklist(31)
@pytest.mark.parametrize(
    "given",
    [
        "",
        "a" * 7,
        "a" * 65,
        "a" * 10000,
        "with space",
        "tab\there",
        "é" * 10,
        "<script>",
        "a;b=c;d",
        "a\r\nSet-Cookie: x=1",
        "abcdefgh\n",
    ],
)
def test_any_other_request_id_is_replaced(client: FlaskClient, given: str):
    # As an environment: a well-behaved client would not send some of these.
    answer = client.get("/api/health", environ_overrides={"HTTP_X_REQUEST_ID": given})

    assert OURS.fullmatch(answer.headers["X-Request-Id"])
    assert "Set-Cookie" not in answer.headers


def test_every_request_has_an_id_of_its_own(client: FlaskClient):
    ids = {client.get("/api/health").headers["X-Request-Id"] for _ in range(5)}

    assert len(ids) == 5


@pytest.mark.parametrize(
    "path", ["/api/health", "/api/client/balance", "/api/nothing", "/api/openapi.json"]
)
def test_security_headers_are_everywhere(client: FlaskClient, path: str):
    headers = client.get(path).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Strict-Transport-Security"] == "max-age=63072000"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["Cache-Control"] == "no-store"
    assert "Server" not in headers
    assert "Set-Cookie" not in headers


@pytest.mark.checklist(32)
def test_another_origin_is_let_in_nowhere(alice: Actor):
    for method in ("GET", "OPTIONS"):
        headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
        answer = alice.call(method, "/client/balance", headers=headers)
        assert [name for name, _ in answer.headers if name.startswith("Access-Control")] == []


@pytest.mark.checklist(33)
@pytest.mark.parametrize("accepted", ["text/html", "*/*", "image/png", "garbage"])
def test_the_api_speaks_json_whatever_is_accepted(alice: Actor, accepted: str):
    answer = alice.get("/client/balance", headers={"Accept": accepted})

    assert (answer.status_code, answer.content_type) == (200, "application/json")


def test_where_a_bucket_stands_is_told_on_every_counted_answer(
    alice: Actor, rates: Callable[..., None]
):
    rates(read="3 per minute", write="2 per minute")

    first = alice.get("/client/balance")
    assert first.headers["RateLimit-Policy"] == '"client-read";q=3;w=60'
    assert first.headers["RateLimit"] == '"client-read";r=2;t=60'
    assert first.headers["X-RateLimit-Limit"] == "3"
    assert first.headers["X-RateLimit-Remaining"] == "2"
    assert int(first.headers["X-RateLimit-Reset"]) > 1_700_000_000

    refusal = alice.post("/client/transfer", {})
    assert refusal.status_code == 400
    assert refusal.headers["RateLimit-Policy"] == '"client-write";q=2;w=60'
    assert refusal.headers["RateLimit"] == '"client-write";r=1;t=60'
    assert "Retry-After" not in refusal.headers


def test_auth_tells_its_bucket_too(client: FlaskClient, rates: Callable[..., None]):
    rates(auth="4 per minute")

    answer = client.post("/api/auth/login", json={})

    assert answer.headers["RateLimit-Policy"] == '"auth";q=4;w=60'
    assert answer.headers["RateLimit"] == '"auth";r=3;t=60'


def test_no_answer_is_without_its_bucket_and_its_id(alice: Actor):
    """Success, nothing to say, not modified, HEAD, not found by id, refused: each is counted."""
    webhook = {"url": "https://example.com/", "events": ["invoice.paid"]}
    webhook_id = alice.post("/client/webhooks", webhook).get_json()["webhook"]["id"]
    etag = {"If-None-Match": alice.get("/client/fees").headers["ETag"]}
    bad_session = {"Authorization": "Bearer x"}
    calls = [
        ("GET", "/client/balance", 200, "client-read", {}),
        ("HEAD", "/client/balance", 200, "client-read", {}),
        ("GET", "/client/fees", 304, "client-read", etag),
        ("HEAD", "/client/fees", 304, "client-read", etag),
        ("GET", "/client/withdraw/cmnobody0000", 404, "client-read", {}),
        ("GET", "/client/activity?type=X", 400, "client-read", {}),
        ("POST", "/client/transfer", 415, "client-write", {}),
        ("DELETE", f"/client/webhooks/{webhook_id}", 204, "client-write", {}),
        ("DELETE", f"/client/webhooks/{webhook_id}", 404, "client-write", {}),
        ("POST", "/auth/logout", 401, "auth", bad_session),
        ("POST", "/auth/logout", 204, "auth", {}),
    ]
    for method, path, status, policy, headers in calls:
        answer = alice.call(method, path, headers=headers)
        assert answer.status_code == status, (method, path)
        assert answer.headers["RateLimit-Policy"].startswith(f'"{policy}";q='), (method, path)
        assert answer.headers["RateLimit"].startswith(f'"{policy}";r=')
        for name in ("Limit", "Remaining", "Reset"):
            assert answer.headers[f"X-RateLimit-{name}"].isdecimal()
        assert OURS.fullmatch(answer.headers["X-Request-Id"])
        if status in (204, 304) or method == "HEAD":
            assert answer.data == b""


@pytest.mark.parametrize("path", ["/api/health", "/", "/api/nothing", "/api/openapi.json"])
def test_what_is_not_counted_tells_no_bucket(client: FlaskClient, path: str):
    assert [name for name, _ in client.get(path).headers if "RateLimit" in name] == []


def _counted(**labels: str) -> float:
    return REGISTRY.get_sample_value("protonpay_http_requests_total", labels) or 0


def test_requests_are_counted_by_route_and_not_by_what_callers_invent(client: FlaskClient):
    route, nowhere = "/api/health", "unmatched"
    before = _counted(method="GET", route=route, status="200")
    invented = _counted(method="other", route=nowhere, status="404")

    client.get("/api/health?x=1")
    client.get("/api/health")
    for method in ("FOO", "BAR", "X1"):
        client.open("/api/" + method, method=method)

    assert _counted(method="GET", route=route, status="200") == before + 1
    assert _counted(method="GET", route=route, status="400") >= 1
    assert _counted(method="other", route=nowhere, status="404") == invented + 3
    assert _counted(method="FOO", route=nowhere, status="404") == 0
