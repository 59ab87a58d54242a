"""In a sandbox a wallet outside pays who asks for it: what is asked for, and sent once."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from protonpay.sandbox import outside
from protonpay.store import db
from protonpay.store.jobs import Later
from protonpay.store.outbox import OutboxRow
from protonpay.test_mode import service
from tests.actors import Actor
from tests.conftest import PASSPHRASE
from tests.invoices.asking import ask
from tests.moments import Moments
from tests.refusals import refused
from tests.unchanged import nothing_changes
from tests.wallets import pools
from workers import test_mode as jobs
from workers.job import JOB_FUNCTIONS

PATH = "/client/test/payments"


@pytest.fixture(autouse=True)
def addresses(house: Flask, keyring_path: Path) -> None:
    pools.fill(keyring_path, PASSPHRASE)


@pytest.fixture
def wallet(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The wallet outside, whose node does what a test says."""
    sent: list[tuple[str, int]] = []

    def send(_url: str, _usdc: str, address: str, micro: int) -> str:
        sent.append((address, micro))
        return f"0x{len(sent)}"

    made = SimpleNamespace(usdc_balance=lambda *_: 0, send_usdc=send, sent=sent)
    monkeypatch.setattr(outside, "of", lambda _family: made)
    return made


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> Moments:
    return Moments(monkeypatch)


def pay(actor: Actor, **order: Any) -> dict[str, Any]:
    answer = actor.post(PATH, {"network": "Base", **order})
    assert answer.status_code == 202, answer.get_json()
    payment: dict[str, Any] = answer.get_json()["payment"]
    return payment


def stands(actor: Actor, payment: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = actor.get(f"{PATH}/{payment['id']}").get_json()["payment"]
    return found


def ordered() -> list[OutboxRow]:
    return list(db.db.session.scalars(select(OutboxRow).filter_by(job="test_mode.pay")))


def run(payment: dict[str, Any]) -> Later | None:
    """Do the job of a payment, as a worker does whatever its row says."""
    return JOB_FUNCTIONS["test_mode.pay"](payment["id"])


def test_a_payment_is_asked_for_and_nothing_is_credited_yet(alice: Actor):
    before = alice.available
    made = pay(alice, amount="12.5")
    mine = alice.post("/client/deposit/crypto", {"network": "Base"}).get_json()["deposit"]
    assert (made["amount"], made["network"], made["status"]) == ("12.50", "Base", "PENDING")
    assert (made["address"], made["invoiceId"], made["txHash"]) == (mine["address"], None, None)
    assert [row.args for row in ordered()] == [{"payment_id": made["id"]}]
    assert alice.available == before
    assert alice.get(PATH).get_json()["payments"] == [made] == [stands(alice, made)]


def test_who_says_no_amount_is_sent_a_hundred(alice: Actor):
    assert pay(alice)["amount"] == "100.00"


def test_an_invoice_is_paid_at_its_address_and_what_it_still_asks_for(alice: Actor):
    invoice = ask(alice, "7.25")
    whole, part = pay(alice, invoiceId=invoice.id), pay(alice, invoiceId=invoice.id, amount="1")
    assert (whole["amount"], part["amount"]) == ("7.25", "1.00")
    assert whole["address"] == part["address"] != pay(alice)["address"]
    assert whole["invoiceId"] == invoice.id


@pytest.mark.parametrize(
    ("order", "status", "code"),
    [
        ({"network": "Nowhere"}, 400, "unsupported_network"),
        ({"amount": "0"}, 400, "validation_error"),
        ({"amount": "0.0000001"}, 400, "validation_error"),
        ({"amount": "10000.000001"}, 400, "amount_too_large"),
        ({"vanishes": True}, 400, "validation_error"),
        ({"vanishes": "yes"}, 400, "validation_error"),
        ({"invoiceId": "cm" + "a" * 23}, 404, "not_found"),
        ({"to": "0x"}, 400, "validation_error"),
    ],
)
def test_what_is_refused_changes_nothing(
    alice: Actor, order: dict[str, Any], status: int, code: str
):
    with nothing_changes():
        refused(alice.post(PATH, {"network": "Base", "amount": "5", **order}), status, code)


def test_anothers_invoice_is_not_there(alice: Actor, mallory: Actor):
    invoice = ask(alice, "5")
    with nothing_changes():
        refused(mallory.post(PATH, {"network": "Base", "invoiceId": invoice.id}), 404, "not_found")


def test_an_invoice_that_asks_for_nothing_needs_an_amount(alice: Actor):
    invoice = ask(alice, "5")
    assert alice.post(f"/client/invoices/{invoice.id}/cancel", {}).status_code == 200
    order = {"network": "Base", "invoiceId": invoice.id}
    with nothing_changes():
        refused(alice.post(PATH, order), 400, "validation_error")
    assert pay(alice, invoiceId=invoice.id, amount="5")["amount"] == "5.00", "payers are late"


def test_there_is_a_most_in_an_hour(alice: Actor, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(service, "MOST_AN_HOUR", 2)
    pay(alice)
    pay(alice)
    with nothing_changes():
        answer = alice.post(PATH, {"network": "Base"})
        refused(answer, 429, "too_many_tests")
    assert answer.headers["Retry-After"] == "3600"


def test_a_key_asks_once(alice: Actor):
    said = {"Idempotency-Key": "press-1"}
    first, second = (alice.post(PATH, {"network": "Base"}, headers=said) for _ in range(2))
    assert first.get_json() == second.get_json()
    assert (first.status_code, second.headers["Idempotent-Replayed"]) == (202, "true")
    assert len(ordered()) == 1


def test_the_job_sends_it_once_however_often_it_runs(alice: Actor, wallet: SimpleNamespace):
    made = pay(alice, amount="3")
    (row,) = ordered()
    jobs.pay(row.id, row.fence + 1)
    for _ in range(2):
        assert run(made) is None
    assert wallet.sent == [(made["address"], 3_000_000)]
    assert (stands(alice, made)["status"], stands(alice, made)["txHash"]) == ("SENT", "0x1")


def test_a_node_that_is_away_is_asked_later(alice: Actor, wallet: SimpleNamespace):
    there = wallet.usdc_balance
    made, wallet.usdc_balance = pay(alice), _is_away
    with nothing_changes():
        assert isinstance(run(made), Later)
    wallet.usdc_balance = there
    assert run(made) is None
    assert stands(alice, made)["status"] == "SENT"


def test_the_longer_a_node_is_away_the_later_it_is_asked_and_after_an_hour_it_is_given_up(
    alice: Actor, wallet: SimpleNamespace, moments: Moments
):
    made, wallet.usdc_balance, there = pay(alice), _is_away, wallet.usdc_balance
    pauses: list[float] = []
    while later := run(made):
        pauses.append(later.seconds)
        moments.pass_by(later.seconds)
    assert (pauses[0], max(pauses)) == (5, 300)
    assert sum(pauses) == pytest.approx(3600)
    assert pauses[:-1] == sorted(pauses[:-1]), "each as long as the one before, or longer"
    assert len(pauses) < 25
    found = stands(alice, made)
    assert (found["status"], found["reason"], found["txHash"]) == ("FAILED", "node_away", None)
    wallet.usdc_balance = there
    with nothing_changes():
        assert run(made) is None
    assert wallet.sent == []


def test_what_was_begun_is_not_given_up(alice: Actor, wallet: SimpleNamespace, moments: Moments):
    """Somebody else has begun it while we found its node away."""
    made = pay(alice)

    def begun_meanwhile(*_: object) -> int:
        assert service.begin(made["id"])
        raise ConnectionRefusedError

    wallet.usdc_balance = begun_meanwhile
    moments.pass_by(service.PATIENCE.total_seconds())
    assert run(made) is None
    assert stands(alice, made)["status"] == "SENDING"


def _is_away(*_: object) -> int:
    raise ConnectionRefusedError


def _refuses(*_: object) -> str:
    raise outside.Refused("Blacklistable: account is blacklisted")


def _is_silent(*_: object) -> str:
    raise TimeoutError


@pytest.mark.parametrize(
    ("node", "state", "reason"),
    [(_refuses, "FAILED", "node_refused"), (_is_silent, "UNKNOWN", None)],
    ids=["no", "unknown"],
)
def test_no_is_no_and_unknown_stays_unknown(
    alice: Actor,
    wallet: SimpleNamespace,
    node: Callable[..., str],
    state: str,
    reason: str | None,
):
    made, works = pay(alice), wallet.send_usdc
    wallet.send_usdc = node
    assert run(made) is None
    found = stands(alice, made)
    assert (found["status"], found["reason"], found["txHash"]) == (state, reason, None)
    assert found["endedAt"] is not None
    wallet.send_usdc = works
    assert run(made) is None
    assert (stands(alice, made), wallet.sent) == (found, [])


def test_what_died_while_it_was_sent_is_not_sent_again(alice: Actor, wallet: SimpleNamespace):
    made = pay(alice)
    assert service.begin(made["id"])
    assert not service.begin(made["id"]), "of two, one"
    assert run(made) is None
    assert (stands(alice, made)["status"], wallet.sent) == ("UNKNOWN", [])


def test_a_payment_of_nobody_is_a_bug(wallet: SimpleNamespace):
    with pytest.raises(LookupError):
        JOB_FUNCTIONS["test_mode.pay"]("nobody")
