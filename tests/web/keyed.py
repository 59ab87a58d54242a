"""Requests under an idempotency key."""

from typing import Any

from werkzeug.test import TestResponse

from tests.actors import Actor

WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"  # EIP-55's own example
MOVED = ("transfers", "journal_entries", "postings", "ledger_balances", "ledger_pending", "events")
HOOK = {"url": "https://receiver.example.com/hook", "events": ["payout.completed"]}


def keyed(actor: Actor, path: str, body: Any, key: str = "k-1", **headers: str) -> TestResponse:
    return actor.post(path, body, headers={"Idempotency-Key": key, **headers})


def send(actor: Actor, to: Actor, amount: Any = 25, key: str = "k-1", **more: Any) -> TestResponse:
    body = {"toIdentifier": to.public_id, "amount": amount, **more}
    return keyed(actor, "/client/transfer", body, key)


def withdraw(actor: Actor, amount: Any = 50, key: str = "k-1") -> TestResponse:
    order = {"amount": amount, "walletAddress": WALLET, "network": "Base"}
    return keyed(actor, "/client/withdraw", order, key)


def is_replay(answer: TestResponse, first: TestResponse) -> bool:
    """Tell whether an answer is another one's repetition, and assert that it is a true one."""
    if "Idempotent-Replayed" not in answer.headers:
        assert "X-Original-Request-Id" not in answer.headers
        return False
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert answer.headers["X-Original-Request-Id"] == first.headers["X-Request-Id"]
    assert answer.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    assert (answer.status_code, answer.content_type) == (first.status_code, first.content_type)
    return True
