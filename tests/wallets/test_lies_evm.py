"""A node of Base that lies in every way known: nothing is lost, nothing twice, nothing hidden."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import update

from protonpay.chains.evm_node import TRANSFER
from protonpay.chains.evm_watch import EvmWatch
from protonpay.chains.registry import BASE, chains
from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.sandbox.evm import abi
from protonpay.store.db import db, transaction
from protonpay.wallets import scanning, watching
from protonpay.wallets import service as wallets
from protonpay.wallets.models import WatchMark
from protonpay.wire.http import Wire
from protonpay.wire.jsonrpc import JsonRpc
from tests.chains.conftest import EvmWorld
from tests.wallets import pools
from tests.wallets.liar import ENDLESS, HANGS_UP, Liar
from tests.wallets.pools import Careful, follow_all, states

pytestmark = pytest.mark.slow

HASHES_ONLY = False
ABSENT = "0x" + "cd" * 32


@pytest.fixture
def base(house, evm: EvmWorld) -> Iterator[SimpleNamespace]:
    """Base through a node that may lie."""
    liar = Liar(evm.url)
    rpc = JsonRpc(Wire(liar.url, read_seconds=2, max_bytes=4_000_000))
    chains._watches["Base"] = Careful(EvmWatch(BASE, rpc))
    pools.begin_watches(int(evm.block("finalized")["number"], 16))
    yield SimpleNamespace(world=evm, liar=liar, mine=evm.mine)
    chains._watches.clear()
    liar.close()


def _pay(base, payee, micro: int) -> str:
    rpc = base.world.rpc
    order = {"from": rpc("eth_accounts")[0], "to": base.world.usdc}
    data = abi.call("transfer(address,uint256)", payee.base, micro)
    return rpc("eth_sendTransaction", {**order, "data": data})


def _look(times: int = 1) -> None:
    for _ in range(times):
        watching.watch("Base")
        follow_all()


def _mark() -> WatchMark:
    return db.session.get(WatchMark, "Base", populate_existing=True)


def _of(method: str, change: Callable[[Any, list[Any]], Any]) -> Callable[[Liar, Any], None]:
    def begin(liar: Liar, _base) -> None:
        liar.spoil(lambda asked, params, truth: change(truth, params) if asked == method else truth)

    return begin


def _error(code: int, message: str) -> Callable[[Liar, Any], None]:
    return lambda liar, _: liar.refuse("eth_getLogs", code, message)


def _http(status: int, body: Any, **headers: str) -> Callable[[Liar, Any], None]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda liar, _: liar.reply(status, body, named)


def _each(**told: Any) -> Callable[[Any, list[Any]], Any]:
    return lambda logs, _: [log | told for log in logs]


def _other_hash(truth: Any, params: list[Any]) -> Any:
    return truth | {"hash": ABSENT} if truth and params[0].startswith("0x") else truth


def _twice_in_a_receipt(truth: Any, _params: list[Any]) -> Any:
    return truth | {"logs": truth["logs"] * 2} if truth else truth


def _stalled(liar: Liar, base) -> None:
    then = {tag: base.world.block(tag) for tag in ("safe", "finalized")}
    liar.spoil(
        lambda asked, params, truth: (
            then.get(params[0], truth) if asked == "eth_getBlockByNumber" else truth
        )
    )


def _behind(liar: Liar, base) -> None:
    """Answer as a node that is some blocks back: it has heard of nothing since."""
    top = int(base.world.block("latest")["number"], 16) - 1

    def lie(asked: str, params: list[Any], truth: Any) -> Any:
        if asked == "eth_getBlockByNumber":
            numbers = {"latest": top, "safe": top - 1, "finalized": top - 2}
            wanted = numbers.get(params[0]) or int(params[0], 16)
            return None if wanted > top else base.world.block(hex(wanted))
        if asked == "eth_getLogs":
            return [log for log in truth if int(log["blockNumber"], 16) <= top]
        if asked == "eth_getTransactionReceipt" and truth:
            return truth if int(truth["blockNumber"], 16) <= top else None
        return truth

    liar.spoil(lie)


SILENT = {
    "all logs are kept back": _of("eth_getLogs", lambda *_: []),
    "some logs are kept back": _of("eth_getLogs", lambda logs, _: logs[:-1]),
    "every log is removed": _of("eth_getLogs", _each(removed=True)),
    "logs of another contract": _of("eth_getLogs", _each(address="0x" + "0a" * 20)),
    "the node is behind": _behind,
    "safe and finalized stand still": _stalled,
}
"""Lies that a round cannot know for lies: it sees too little, and comes back for it."""

PLAIN = {
    "logs of a transaction that there is not": _of("eth_getLogs", _each(transactionHash=ABSENT)),
    "logs to an address that is not one": _of("eth_getLogs", _each(topics=[TRANSFER, "0x", 3])),
    "logs are no list": _of("eth_getLogs", lambda *_: {"logs": []}),
    "logs are null": _of("eth_getLogs", lambda *_: None),
    "receipts are null": _of("eth_getTransactionReceipt", lambda *_: None),
    "a receipt tells each log twice": _of("eth_getTransactionReceipt", _twice_in_a_receipt),
    "another hash of each block": _of("eth_getBlockByNumber", _other_hash),
    "another chain": _of("eth_chainId", lambda *_: "0x89"),
    "a number below nothing": _of(
        "eth_getBlockByNumber", lambda truth, _: truth and truth | {"number": "-0x5"}
    ),
    "no blocks": _of("eth_getBlockByNumber", lambda *_: None),
    "QuickNode's range": _error(-32614, "eth_getLogs is limited to a 10,000 range"),
    "Alchemy's size": _error(-32602, "Log response size exceeded. this block range should work"),
    "Infura's results": _error(-32005, "query returned more than 10000 results"),
    "geth's range": _error(-32000, "exceed maximum block range: 50000"),
    "dRPC's range": _error(35, "ranges over 10000 blocks are not supported on freetier"),
    "a rate limit in an answer": _error(429, "Your app has exceeded its compute units"),
    "no such method": _error(-32601, "the method eth_getLogs does not exist"),
    "a rate limit": _http(429, b'{"error":"slow down"}', Retry_After="7"),
    "a rate limit in words": _http(429, b"slow down", Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"),
    "503": _http(503, b"<html>upstream connect error</html>"),
    "a page": _http(200, b"<!doctype html><title>Just a moment...</title>"),
    "no key": _http(401, b'{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"key"}}'),
    "a body cut short": _http(200, b'[{"jsonrpc":"2.0","id":1,"resu'),
    "a body shorter than said": _http(200, b"[]", Content_Length="4000"),
    "an empty body": _http(200, b""),
    "one error for all": _http(
        200, b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch"}}'
    ),
    "no answers": _http(200, b"[]"),
    "answers to nobody": _http(200, b'[{"jsonrpc":"2.0","id":-1,"result":[]}]'),
    "a body without end": _http(200, ENDLESS),
    "it hangs up": _http(200, HANGS_UP),
}
"""Lies that a round knows for lies: it says that it did not look."""


def _while_it_lies(base, payee, lie: Callable[[Liar, Any], None]) -> WatchMark:
    """Be paid before and during a lie, and return where the watch stood in between."""
    _pay(base, payee, 5_000_000)
    base.mine(3)
    _look()
    assert payee.actor.available == Usdc.parse("1005")
    before = _mark()
    db.session.expunge(before)

    lie(base.liar, base)
    for micro in (7_000_000, 11_000_000):
        _pay(base, payee, micro)
    base.mine(4)
    for later in (20, 40, 130):
        with clock.frozen(before.looked_at + timedelta(seconds=later)):
            _look()
    assert payee.actor.available in (Usdc.parse("1005"), Usdc.parse("1012"))
    return before


def _all_is_well(base, payee) -> None:
    base.liar.honest()
    base.mine()
    with clock.frozen(clock.now() + timedelta(seconds=300)):
        _look(2)
    assert states() == ["FINAL"] * 3
    assert payee.actor.available == Usdc.parse("1023")


@pytest.mark.parametrize("lie", SILENT.values(), ids=SILENT)
def test_what_is_kept_back_is_read_when_it_is_told(base, payee, lie):
    _while_it_lies(base, payee, lie)
    _all_is_well(base, payee)


@pytest.mark.parametrize("lie", PLAIN.values(), ids=PLAIN)
def test_a_lie_that_shows_is_no_look_and_loses_nothing(base, payee, lie):
    before = _while_it_lies(base, payee, lie)
    assert _mark().looked_at == before.looked_at
    with clock.frozen(before.looked_at + timedelta(seconds=130)):
        assert wallets.watch_ages()["Base"] == 130
    _all_is_well(base, payee)


def test_logs_that_come_twice_are_one(base, payee):
    _of("eth_getLogs", lambda logs, _: logs * 3)(base.liar, base)
    _pay(base, payee, 5_000_000)
    base.mine(3)
    _look(3)
    assert (states(), payee.actor.available) == (["FINAL"], Usdc.parse("1005"))


def test_answers_in_another_order_are_put_in_theirs(base, payee):
    honest = base.liar.answer

    def shuffled(body: bytes) -> tuple[int, Any, Any]:
        status, headers, told = honest(body)
        answers = json.loads(told)
        return status, headers, json.dumps(answers[::-1]).encode()

    base.liar.answer = shuffled
    _pay(base, payee, 5_000_000)
    base.mine(3)
    _look()
    assert (states(), payee.actor.available) == (["FINAL"], Usdc.parse("1005"))


def test_who_asks_for_patience_gets_it(base, payee):
    base.liar.reply(429, b"", {"Retry-After": "30"})
    _look()
    asked = base.liar.requests
    base.liar.honest()
    now = clock.now()
    with clock.frozen(now + timedelta(seconds=25)):
        _look()
    assert base.liar.requests == asked
    with clock.frozen(now + timedelta(seconds=31)):
        _look()
    assert base.liar.requests > asked


def test_a_refused_range_is_halved_a_few_times_a_round_and_grows_again(base, payee):
    base.mine(50)
    _look()
    base.liar.asked.clear()
    with transaction() as session:
        session.get_one(WatchMark, "Base").height -= 40
    base.liar.refuse("eth_getLogs", -32005, "query returned more than 10000 results")
    _look()

    def ranges() -> list[int]:
        logs = [params[0] for method, params in base.liar.asked if method == "eth_getLogs"]
        base.liar.asked.clear()
        return [int(one["toBlock"], 16) - int(one["fromBlock"], 16) + 1 for one in logs]

    first, *rest = ranges()[-4:]
    assert rest == [first // 2, first // 4, first // 8]

    base.liar.honest()
    _look()
    grown = ranges()
    assert grown[0] == first // 16
    assert grown[1] == grown[0] + 1


def test_too_long_an_answer_is_asked_for_in_parts(base, payee):
    chains._watches["Base"] = EvmWatch(
        BASE, JsonRpc(Wire(base.liar.url, read_seconds=2, max_bytes=9000))
    )
    for _ in range(8):
        _pay(base, payee, 1_000_000)
        base.mine()
    base.mine(3)
    _look(12)
    assert states() == ["FINAL"] * 8


def test_what_was_kept_back_for_hours_is_found_within_the_hour_after(base, payee, monkeypatch):
    monkeypatch.setattr(scanning, "_FEWEST_BLOCKS", 1)
    monkeypatch.setattr(scanning, "_MOST_BLOCKS", 1)
    monkeypatch.setattr(scanning, "_PIECE", 8)
    monkeypatch.setattr(scanning, "_DAY", 40)
    _of("eth_getLogs", lambda *_: [])(base.liar, base)
    _pay(base, payee, 5_000_000)
    base.mine(10)
    # The hour before has read its day to the end.
    with transaction() as session:
        session.execute(update(WatchMark).values(again_height=0))
    begun = clock.now().replace(minute=0, second=1)
    with clock.frozen(begun):
        _look()
    base.liar.honest()
    base.mine(3)
    with clock.frozen(begun):
        _look()
    assert states() == [], "too long ago for the overlap"

    for minutes in range(3, 63, 3):
        with clock.frozen(begun + timedelta(minutes=minutes)):
            _look()

    assert (states(), payee.actor.available) == (["FINAL"], Usdc.parse("1005"))


@pytest.mark.parametrize("blocks", [0, 200])
def test_what_was_kept_back_from_every_pass_is_found_within_the_minute(base, payee, blocks):
    # Early in its hour, when the last day is not read again yet.
    begun = clock.now().replace(minute=0, second=1)
    with clock.frozen(begun):
        _look()
        _of("eth_getLogs", lambda *_: [])(base.liar, base)
        _pay(base, payee, 5_000_000)
        base.mine(6)
        _look()
        base.liar.honest()
        # The chain rests, or makes more blocks than its own clock says.
        base.mine(blocks)
        _look()
    assert states() == []

    with clock.frozen(begun + timedelta(seconds=15)):
        _look()

    assert (states(), payee.actor.available) == (["FINAL"], Usdc.parse("1005"))


def test_what_is_kept_back_for_most_of_a_minute_is_found_at_its_end(base, payee):
    begun = clock.now().replace(minute=0, second=1)
    with clock.frozen(begun):
        _look()
        _of("eth_getLogs", lambda *_: [])(base.liar, base)
        _pay(base, payee, 5_000_000)
        base.mine(6)
        _look()
    for seconds in (15, 30, 45):
        with clock.frozen(begun + timedelta(seconds=seconds)):
            _look(2)
    assert states() == []

    base.liar.honest()
    with clock.frozen(begun + timedelta(seconds=60)):
        _look()

    assert (states(), payee.actor.available) == (["FINAL"], Usdc.parse("1005"))
