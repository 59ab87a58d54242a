"""A Solana node that lies in every way known: nothing is lost, nothing twice, nothing hidden."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from protonpay.chains.registry import SOLANA, chains
from protonpay.chains.solana_watch import SolanaWatch
from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.store.db import db
from protonpay.wallets import service as wallets
from protonpay.wallets import watching
from protonpay.wallets.models import WatchedAccount, WatchMark
from protonpay.wire.http import Wire
from protonpay.wire.jsonrpc import JsonRpc
from tests.chains.solana.local_node import LocalNode
from tests.wallets import pools
from tests.wallets.liar import ENDLESS, HANGS_UP, Liar, Refusal
from tests.wallets.pools import Careful, follow_all, states

pytestmark = pytest.mark.slow

Lie = Callable[[Liar, Any], None]


@pytest.fixture
def solana(house, node: LocalNode) -> Iterator[SimpleNamespace]:
    """Solana through a node that may lie."""
    liar = Liar(node.url)
    rpc = JsonRpc(Wire(liar.url, read_seconds=2, max_bytes=4_000_000))
    chains._watches["Solana"] = Careful(SolanaWatch(SOLANA, rpc))
    pools.begin_watches()
    yield SimpleNamespace(node=node, liar=liar)
    chains._watches.clear()
    liar.close()


def _look(times: int = 1) -> None:
    """Look at every account, whenever it would be due."""
    for _ in range(times):
        db.session.execute(text("UPDATE watched_accounts SET due_at = '2020-01-01+00'"))
        db.session.commit()
        watching.watch("Solana")
        follow_all()


def _pay(solana, payee, micro: int) -> str:
    signature = solana.node.call("sandbox_sendUsdc", payee.solana, micro)
    solana.node.warp(1)
    return signature


def _mark() -> WatchMark:
    return db.session.get(WatchMark, "Solana", populate_existing=True)


def _account(payee) -> WatchedAccount:
    return db.session.get(WatchedAccount, ("Solana", payee.solana), populate_existing=True)


def _of(method: str, change: Callable[[Any], Any]) -> Lie:
    return lambda liar, _: liar.spoil(
        lambda asked, _params, truth: change(truth) if asked == method else truth
    )


def _error(method: str, code: int, message: str) -> Lie:
    return lambda liar, _: liar.refuse(method, code, message)


def _http(status: int, body: Any, **headers: str) -> Lie:
    return lambda liar, _: liar.reply(status, body, headers)


def _old_balance(liar: Liar, solana) -> None:
    """Tell balances as they were, as a node does that is behind."""
    then: dict[str, Any] = {}

    def lie(asked: str, params: list[Any], truth: Any) -> Any:
        return then.setdefault(str(params), truth) if asked == "getMultipleAccounts" else truth

    liar.spoil(lie)
    _look()


def _never_final(listed: Any) -> Any:
    return [one | {"confirmationStatus": "confirmed"} for one in listed]


def _failed(transaction: Any) -> Any:
    if transaction is None:
        return None
    return transaction | {"meta": transaction["meta"] | {"err": {"InstructionError": [0, "x"]}}}


SILENT: dict[str, Lie] = {
    "the newest signature is missing": _of("getSignaturesForAddress", lambda listed: listed[1:]),
    "every signature is missing": _of("getSignaturesForAddress", lambda _: []),
    "the balance is an old one": _old_balance,
    "nothing becomes final": _of("getSignaturesForAddress", _never_final),
}
"""Lies that a round cannot know for lies."""

PLAIN: dict[str, Lie] = {
    "a listed transaction is null": _of("getTransaction", lambda _: None),
    "a listed transaction failed": _of("getTransaction", _failed),
    "a transaction without balances": _of(
        "getTransaction", lambda told: told | {"meta": {"err": None}}
    ),
    "a newer version than we read": _error(
        "getTransaction", -32015, "Transaction version (2) is not supported"
    ),
    "a slot that is not there yet": _error(
        "getTransaction", -32004, "Block not available for slot"
    ),
    "a slot that was skipped": _error("getTransaction", -32007, "Slot 5 was skipped"),
    "a slot that was pruned": _error("getTransaction", -32009, "Slot 5 was skipped, or missing"),
    "history is not kept": _error("getSignaturesForAddress", -32011, "history is not available"),
    "the node is behind": _error("getMultipleAccounts", -32005, "Node is behind by 150 slots"),
    "one account too few": _of(
        "getMultipleAccounts", lambda told: told | {"value": told["value"][1:]}
    ),
    "accounts are no list": _of("getMultipleAccounts", lambda told: told | {"value": 7}),
    "data is no text": _of("getMultipleAccounts", lambda told: told | {"value": [{"data": [9]}]}),
    "a rate limit": _http(429, b"{}"),
    "503": _http(503, b"<html>no server is available</html>"),
    "a page": _http(200, b"<!doctype html>"),
    "a body cut short": _http(200, b'[{"jsonrpc":"2.0","id":1,"resu'),
    "a body without end": _http(200, ENDLESS),
    "it hangs up": _http(200, HANGS_UP),
}
"""Lies that a round knows for lies: it says that it did not look."""


def _while_it_lies(solana, payee, lie: Lie) -> WatchMark:
    _pay(solana, payee, 5_000_000)
    solana.node.finalize()
    _look()
    assert payee.actor.available == Usdc.parse("1005")
    before = _mark()
    db.session.expunge(before)

    lie(solana.liar, solana)
    _pay(solana, payee, 7_000_000)
    solana.node.finalize()
    for later in (20, 40, 130):
        with clock.frozen(before.looked_at + timedelta(seconds=later)):
            _look()
    assert payee.actor.available == Usdc.parse("1005")
    return before


def _all_is_well(solana, payee) -> None:
    solana.liar.honest()
    with clock.frozen(clock.now() + timedelta(seconds=300)):
        _look(3)
    assert states() == ["FINAL"] * 2
    assert payee.actor.available == Usdc.parse("1012")
    assert _account(payee).balance_micro == Usdc(12_000_000)


@pytest.mark.parametrize("lie", SILENT.values(), ids=SILENT)
def test_what_is_kept_back_is_read_when_it_is_told(solana, payee, lie):
    _while_it_lies(solana, payee, lie)
    _all_is_well(solana, payee)


@pytest.mark.parametrize("lie", PLAIN.values(), ids=PLAIN)
def test_a_lie_that_shows_is_no_look_and_loses_nothing(solana, payee, lie):
    before = _while_it_lies(solana, payee, lie)
    assert _mark().looked_at == before.looked_at
    with clock.frozen(before.looked_at + timedelta(seconds=130)):
        assert wallets.watch_ages()["Solana"] == 130
    _all_is_well(solana, payee)


def test_a_signature_that_is_listed_after_later_ones_is_found(solana, payee):
    hidden = _pay(solana, payee, 5_000_000)
    later = _pay(solana, payee, 7_000_000)
    solana.node.finalize()
    solana.liar.spoil(
        lambda asked, _, truth: (
            [one for one in truth if one["signature"] != hidden]
            if asked == "getSignaturesForAddress"
            else truth
        )
    )
    _look(2)
    assert (_account(payee).cursor, payee.actor.available) == (later, Usdc.parse("1007"))

    solana.liar.honest()
    with clock.frozen(clock.now() + timedelta(seconds=10)):
        _look()
    assert payee.actor.available == Usdc.parse("1007"), "a list may lag for a while"
    with clock.frozen(clock.now() + timedelta(seconds=40)):
        _look()
    assert (states(), payee.actor.available) == (["FINAL"] * 2, Usdc.parse("1012"))
    assert (_account(payee).cursor, _account(payee).balance_micro) == (later, Usdc(12_000_000))


def test_a_balance_that_no_transaction_explains_credits_nobody_and_is_said(solana, payee, caplog):
    _pay(solana, payee, 5_000_000)
    solana.node.finalize()
    _look()

    def more(asked: str, _params: list[Any], truth: Any) -> Any:
        if asked == "getMultipleAccounts":
            data = ["QFSJAAAAAAA=", "base64"]
            return truth | {"value": [one and one | {"data": data} for one in truth["value"]]}
        return truth

    solana.liar.spoil(more)
    with clock.frozen(clock.now() + timedelta(seconds=40)):
        _look(2)
        assert _account(payee).due_at == clock.now() + timedelta(minutes=1)
    assert "balance_unexplained" in caplog.text
    assert (states(), payee.actor.available) == (["FINAL"], Usdc.parse("1005"))


def test_a_fork_whose_final_slot_goes_back_takes_nothing_that_stands(solana, payee):
    _pay(solana, payee, 5_000_000)
    _look()
    assert states() == ["SEEN"]
    finals = iter(range(10**12, 0, -1))

    def confused(asked: str, _params: list[Any], truth: Any) -> Any:
        if asked == "getSlot":
            return next(finals)
        return [] if asked == "getSignaturesForAddress" else truth

    solana.liar.spoil(confused)
    _look(3)
    assert states() == ["SEEN"]
    solana.liar.honest()
    solana.node.finalize()
    _look()
    assert (states(), payee.actor.available) == (["FINAL"], Usdc.parse("1005"))


def test_one_that_was_called_gone_and_is_listed_again_is_credited_once(solana, payee):
    _pay(solana, payee, 5_000_000)
    _look()

    def gone(asked: str, _params: list[Any], truth: Any) -> Any:
        lies = {"getSlot": 10**12, "getSignaturesForAddress": []}
        if asked == "getSignatureStatuses":
            return truth | {"value": [None]}
        return lies.get(asked, truth)

    solana.liar.spoil(gone)
    _look()
    assert states() == ["VANISHED"]
    solana.liar.honest()
    solana.node.finalize()
    _look(2)
    assert (states(), payee.actor.available) == (["FINAL"], Usdc.parse("1005"))


def test_every_version_of_transactions_is_asked_for(solana, payee):
    _pay(solana, payee, 5_000_000)
    solana.node.finalize()

    def strict(asked: str, params: list[Any], truth: Any) -> Any:
        if asked == "getTransaction" and params[1].get("maxSupportedTransactionVersion") != 1:
            raise Refusal(-32015, "Transaction version (1) is not supported")
        return truth if asked != "getTransaction" else truth | {"version": 1}

    solana.liar.spoil(strict)
    _look()
    assert states() == ["FINAL"]
