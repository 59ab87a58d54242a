"""POST /client/withdraw/payee: what stands at an address, found out by a worker."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from protonpay.chains.evm_inspection import EvmInspector
from protonpay.chains.registry import BASE, chains
from protonpay.kernel import clock
from protonpay.payouts import payees
from protonpay.payouts.models import PayeeLook
from protonpay.store.db import db
from protonpay.wire.jsonrpc import RpcError
from tests.actors import Actor
from tests.payouts.orders import SILENT, WALLETS, jobs
from tests.refusals import refused
from tests.unchanged import nothing_changes, only_changes

WALLET = WALLETS["Base"]


class Node:
    """An EVM node that says what stands at every address, or does not."""

    def __init__(self) -> None:
        self.code: str | Exception = "0x"

    def batch(self, questions: Any) -> list[Any]:
        """Answer ``eth_getCode``, and who it is."""
        if isinstance(self.code, Exception):
            raise self.code
        return [self.code for _ in questions]


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    told = Node()
    monkeypatch.setattr("protonpay.chains.evm_token.insist", lambda *_: None)
    chains._inspectors["Base"] = EvmInspector(BASE, told)  # type: ignore[arg-type]
    yield told
    chains._inspectors.clear()


def ask(actor: Actor, wallet: str = WALLET, network: str = "Base") -> dict[str, Any]:
    answer = actor.post("/client/withdraw/payee", {"walletAddress": wallet, "network": network})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    told: dict[str, Any] = answer.get_json()["payee"]
    return told


def work() -> None:
    """Do every job that looks at a payee."""
    for job, args in jobs():
        if job == "payouts.look_at_payee":
            payees.find_out(**args)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("0x", "WALLET"),
        ("0x6001", "CONTRACT"),
        # A wallet whose key has signed that code of somebody's runs there (EIP-7702) has a key.
        (f"0xef0100{'ab' * 20}", "WALLET"),
        (f"0xef0100{'ab' * 21}", "CONTRACT"),
        (SILENT, "UNKNOWN"),
        (RpcError(-32000, "no"), "UNKNOWN"),
        ("nonsense", "UNKNOWN"),
    ],
)
def test_a_worker_finds_out(alice: Actor, node: Node, code: str | Exception, kind: str):
    node.code = code
    with only_changes("payee_looks", "outbox"):
        first = ask(alice, WALLET.lower())
    assert first == {
        "walletAddress": WALLET,
        "network": "Base",
        "kind": "LOOKING",
        "checkedAt": None,
    }
    with nothing_changes():
        assert ask(alice) == first
    work()
    told = ask(alice)
    assert (told["kind"], told["checkedAt"] is None) == (kind, False)


def test_what_was_found_is_told_for_a_while_to_everybody(alice: Actor, bob: Actor, node: Node):
    now = clock.now()
    with clock.frozen(now):
        ask(alice)
        work()
    node.code = "0x6001"
    with clock.frozen(now + timedelta(minutes=10)), nothing_changes():
        assert ask(bob)["kind"] == "WALLET"
    with clock.frozen(now + timedelta(minutes=10, seconds=1)):
        assert ask(bob)["kind"] == "LOOKING"
        work()
        assert ask(bob)["kind"] == "CONTRACT"


def test_what_takes_too_long_is_unknown_and_never_fine(alice: Actor, node: Node):
    now = clock.now()
    with clock.frozen(now):
        ask(alice)
    with clock.frozen(now + timedelta(seconds=11)), nothing_changes():
        assert ask(alice)["kind"] == "UNKNOWN"
    node.code = SILENT
    with clock.frozen(now + timedelta(seconds=12)):
        work()
        assert ask(alice)["kind"] == "UNKNOWN"
    with clock.frozen(now + timedelta(seconds=23)):
        assert ask(alice)["kind"] == "LOOKING", "asked anew"


def test_a_look_that_runs_twice_says_what_was_said_first(alice: Actor, node: Node):
    ask(alice)
    work()
    node.code = SILENT
    with nothing_changes():
        work()
    payees.find_out("Base", "0x" + "11" * 20)
    assert ask(alice)["kind"] == "WALLET"


def test_looks_are_forgotten_after_a_day(alice: Actor, node: Node):
    now = clock.now()
    with clock.frozen(now):
        ask(alice)
    for later, kept in ((timedelta(days=1), 1), (timedelta(days=1, seconds=1), 0)):
        with clock.frozen(now + later):
            payees.forget()
        assert db.session.query(PayeeLook).count() == kept


@pytest.mark.parametrize(
    ("wallet", "network", "code"),
    [
        ("0x00", "Base", "invalid_address"),
        (BASE.usdc, "Base", "invalid_address"),
        (WALLET, "Solana", "invalid_address"),
        (WALLET, "Tron", "unsupported_network"),
    ],
)
def test_what_can_never_be_paid_is_not_asked_about(
    alice: Actor, wallet: str, network: str, code: str
):
    order = {"walletAddress": wallet, "network": network}
    with nothing_changes():
        refused(alice.post("/client/withdraw/payee", order), 400, code)
