"""A payment that is to vanish is seen, taken away by its chain, and never credited."""

from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from protonpay.chains.registry import chains
from protonpay.invoices import receiving
from protonpay.kernel.money import Usdc
from protonpay.store.db import db
from protonpay.store.jobs import Later
from protonpay.test_mode import service
from protonpay.wallets import watching
from tests.actors import Actor
from tests.invoices.asking import ask
from tests.moments import Moments
from tests.test_mode.test_paying import pay, run, stands
from tests.unchanged import nothing_changes
from tests.wallets.conftest import fill, node, payee, solana, solana_process
from tests.wallets.pools import follow_all, states, told
from workers.job import JOB_FUNCTIONS

__all__ = ["fill", "node", "payee", "solana", "solana_process"]

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def one_node(solana: SimpleNamespace, payee: SimpleNamespace, monkeypatch: pytest.MonkeyPatch):
    """The node that the settings name is the one that is watched."""
    monkeypatch.setattr(chains, "rpc_url", lambda _: solana.node.url)


def sent(actor: Actor, **order: Any) -> dict[str, Any]:
    made = pay(actor, network="Solana", amount="5", vanishes=True, **order)
    assert run(made) is None
    found = stands(actor, made)
    assert (found["status"], found["vanishes"]) == ("SENT", True)
    return found


def ordered(made: dict[str, Any]) -> int:
    of = "SELECT count(*) FROM outbox WHERE job = :job AND args->>'payment_id' = :id"
    return int(db.session.scalar(text(of), {"job": "test_mode.take_away", "id": made["id"]}))


def take_away(made: dict[str, Any]) -> Later | None:
    return JOB_FUNCTIONS["test_mode.take_away"](made["id"])


def deposits(actor: Actor) -> dict[str, str]:
    listed = actor.get("/client/deposits").get_json()["deposits"]
    return {each["txHash"]: each["status"] for each in listed if each["txHash"]}


def look(solana: SimpleNamespace) -> None:
    solana.node.warp(1)
    db.session.execute(text("UPDATE watched_accounts SET due_at = '2020-01-01+00'"))
    db.session.commit()
    watching.watch("Solana")


def test_it_is_seen_and_then_it_never_came(alice: Actor, solana: SimpleNamespace):
    made = sent(alice)
    assert ordered(made) == 1
    assert isinstance(take_away(made), Later), "nobody has seen it"
    kept = pay(alice, network="Solana", amount="7")
    run(kept)
    assert ordered(kept) == 0
    look(solana)
    follow_all()
    assert states() == ["SEEN", "SEEN"]
    assert deposits(alice)[made["txHash"]] == "PENDING"
    for _ in range(2):
        assert take_away(made) is None
    solana.node.finalize()
    look(solana)
    follow_all()
    assert sorted(states()) == ["FINAL", "VANISHED"]
    assert alice.available == Usdc.parse("1007"), "what others had in the lost blocks has come"
    came = stands(alice, kept)["txHash"]
    assert deposits(alice) == {made["txHash"]: "FAILED", came: "CONFIRMED"}
    with nothing_changes():
        assert take_away(made) is None


def test_an_invoice_waits_again(alice: Actor, solana: SimpleNamespace):
    invoice = ask(alice, "5")
    made = sent(alice, invoiceId=invoice.id)
    look(solana)
    (seen,) = told()
    receiving.follow(seen)
    assert invoice.status == "CONFIRMING"
    take_away(made)
    solana.node.finalize()
    look(solana)
    receiving.follow(seen)
    assert invoice.status == "PENDING"
    assert [each["status"] for each in invoice.whole["payments"]] == ["VANISHED"]


def test_what_is_final_stays(alice: Actor, solana: SimpleNamespace):
    made = sent(alice)
    solana.node.finalize()
    look(solana)
    follow_all()
    assert take_away(made) is None
    solana.node.finalize()
    look(solana)
    assert states() == ["FINAL"]
    assert alice.available == Usdc.parse("1005")


def test_what_nobody_sees_is_not_waited_for(alice: Actor, monkeypatch: pytest.MonkeyPatch):
    made, moments = sent(alice), Moments(monkeypatch)
    assert isinstance(take_away(made), Later)
    moments.pass_by(service.SEEN_WITHIN.total_seconds() + 1)
    assert take_away(made) is None


def test_a_node_that_is_away_is_asked_later(
    alice: Actor, solana: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
):
    made = sent(alice)
    look(solana)
    monkeypatch.setattr(chains, "rpc_url", lambda _: "http://127.0.0.1:9")
    assert isinstance(take_away(made), Later)


def test_a_payment_of_nobody_is_a_bug(alice: Actor):
    with pytest.raises(LookupError):
        JOB_FUNCTIONS["test_mode.take_away"]("nobody")
