"""The sandbox's Solana chain survives: killed at any moment, with a torn journal, left idle."""

import contextlib
import datetime as dt
import http.client
import signal
import subprocess
import sys
import threading

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from protonpay.kernel import clock
from protonpay.sandbox.solana import faucet, outside
from protonpay.sandbox.solana.archive import Archive, Landed
from protonpay.sandbox.solana.bank import Bank
from protonpay.sandbox.solana.slots import GENESIS_SLOT, Timeline, block_at, height, skipped
from tests.chains.solana.local_node import (
    ANY_VERSION,
    CONFIRMED,
    FINAL,
    PROCESSED,
    USDC,
    LocalNode,
    running,
)
from tests.patience import until

HISTORY = {"searchTransactionHistory": True}


def started(folder) -> LocalNode:
    return LocalNode("--state", str(folder))


def final_balance(node, owner) -> int:
    options = {"mint": USDC}, {"encoding": "jsonParsed", **FINAL}
    found = node.value("getTokenAccountsByOwner", owner, *options)
    return sum(
        int(one["account"]["data"]["parsed"]["info"]["tokenAmount"]["amount"]) for one in found
    )


@pytest.mark.slow
def test_what_was_final_and_what_was_not_survive_a_kill(tmp_path):
    owner = str(Keypair().pubkey())
    node = started(tmp_path)
    final = node.call("sandbox_sendUsdc", owner, 1_000_000)
    node.finalize()
    told = node.call("getTransaction", final, ANY_VERSION)
    block = node.call("getBlock", told["slot"], ANY_VERSION)
    open_ = node.call("sandbox_sendUsdc", owner, 500_000)
    slot = node.call("getSlot", PROCESSED)
    assert node.stop(signal.SIGKILL) == -signal.SIGKILL

    node = started(tmp_path)
    assert node.call("getSlot", PROCESSED) >= slot
    assert node.call("getTransaction", final, ANY_VERSION) == told
    assert node.call("getBlock", told["slot"], ANY_VERSION) == block
    assert final_balance(node, owner) == 1_000_000
    assert outside.usdc_balance(node.url, USDC, owner) == 1_500_000
    first, second = node.value("getSignatureStatuses", [final, open_], HISTORY)
    assert (first["confirmationStatus"], second["confirmationStatus"]) == ("finalized", "processed")
    named = node.call("getSignaturesForAddress", owner, {"limit": 10, **CONFIRMED})
    assert [entry["signature"] for entry in named] == [final]
    node.finalize()
    assert final_balance(node, owner) == 1_500_000
    assert node.stop() == 0


@pytest.mark.slow
def test_a_fork_left_before_a_kill_stays_left(tmp_path):
    owner = str(Keypair().pubkey())
    node = started(tmp_path)
    lost = node.call("sandbox_sendUsdc", owner, 1)
    blockhash = node.value("getLatestBlockhash", PROCESSED)["blockhash"]
    node.warp(1)
    assert node.call("sandbox_rollback", 5) == [lost]
    fresh = node.value("getLatestBlockhash", PROCESSED)["blockhash"]
    node.stop(signal.SIGKILL)

    node = started(tmp_path)
    assert node.value("getSignatureStatuses", [lost], HISTORY) == [None]
    assert outside.usdc_balance(node.url, USDC, owner) == 0
    assert node.value("isBlockhashValid", blockhash, PROCESSED) is False
    assert node.value("isBlockhashValid", fresh, PROCESSED) is True
    node.stop()


@pytest.mark.slow
@pytest.mark.parametrize("torn", [b"\0" * 700, b"\xff" * 5000, None])
def test_a_torn_journal_loses_nothing_final(tmp_path, torn):
    owner = str(Keypair().pubkey())
    node = started(tmp_path)
    node.call("sandbox_sendUsdc", owner, 1_000_000)
    node.finalize()
    assert final_balance(node, owner) == 1_000_000
    wal = tmp_path / "solana.sqlite3-wal"
    settled = wal.stat().st_size
    node.call("sandbox_sendUsdc", owner, 500_000)
    node.stop(signal.SIGKILL)
    with wal.open("r+b") as journal:
        if torn is None:
            # The tail of the last, unfinal write never reached the disk.
            journal.truncate(settled + (wal.stat().st_size - settled) // 2)
        else:
            journal.seek(0, 2)
            journal.write(torn)

    node = started(tmp_path)
    assert final_balance(node, owner) == 1_000_000
    expected = 1_000_000 if torn is None else 1_500_000
    assert outside.usdc_balance(node.url, USDC, owner) == expected
    node.call("sandbox_sendUsdc", owner, 1)
    node.finalize()
    assert final_balance(node, owner) == expected + 1
    node.stop()


@pytest.mark.slow
def test_killed_in_the_middle_of_traffic_nothing_reported_final_is_missing(tmp_path):
    owner = str(Keypair().pubkey())
    sent, reported = [], [0]

    def traffic(node: LocalNode) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            while True:
                sent.append(node.call("sandbox_sendUsdc", owner, 1))
                node.warp(5)
                reported.append(final_balance(node, owner))

    for goal in (5, 11, 18):
        node = started(tmp_path)
        assert final_balance(node, owner) >= reported[-1]
        busy = threading.Thread(target=traffic, args=(node,))
        busy.start()
        until(lambda goal=goal: reported[-1] >= goal)
        node.stop(signal.SIGKILL)
        busy.join(timeout=10)
    node = started(tmp_path)
    node.finalize()
    kept = final_balance(node, owner)
    # The last send of each life may have landed without its answer.
    assert reported[-1] <= len(sent) <= kept <= len(sent) + 3
    assert outside.usdc_balance(node.url, USDC, owner) == kept
    statuses = node.value("getSignatureStatuses", sent, HISTORY)
    assert {one["confirmationStatus"] for one in statuses} == {"finalized"}
    node.stop()


@pytest.mark.slow
def test_two_processes_never_share_a_chain(tmp_path):
    with running("--state", str(tmp_path)) as node:
        command = [*node.process.args[:4], "127.0.0.1:0", *node.process.args[5:]]
        second = subprocess.run(command, capture_output=True, timeout=20, check=False)
        assert second.returncode != 0
        assert b"locked" in second.stderr
        assert node.call("getHealth") == "ok"


def test_the_finality_needs_two_slots():
    command = [sys.executable, "-m", "protonpay.sandbox.solana", "--listen", "127.0.0.1:0"]
    command += ["--usdc", USDC, "--no-state", "--finality-slots", "1"]
    refused = subprocess.run(command, capture_output=True, timeout=20, check=False)
    assert refused.returncode == 2


class CountingArchive(Archive):
    """Counts the transactions that are read back to be run once more."""

    def after(self, slot: int) -> list[Landed]:
        found = super().after(slot)
        self.run_again = len(found)
        return found


def opened(folder, slot_ms: int = 0) -> Bank:
    archive = CountingArchive(folder)
    timeline = Timeline(archive.fact("timeline"), slot_ms=slot_ms)
    return Bank(archive, timeline, Pubkey.from_string(USDC), finality_slots=32)


@pytest.mark.slow
def test_of_thousands_of_transactions_only_those_not_final_are_run_again(tmp_path):
    """So that a start takes as long after years as on the first day."""
    bank, owners, run_again = opened(tmp_path), [Keypair().pubkey() for _ in range(2000)], []
    for number, owner in enumerate(owners, start=1):
        faucet.send_usdc(bank, owner, number)
        if number % 100 == 0:
            bank.timeline.warp(10)
            bank.advance()
        if number % 500 == 0:
            bank.archive.keep_fact("timeline", bank.timeline.facts())
            bank.archive.close()
            bank = opened(tmp_path)
            run_again.append(bank.archive.run_again)
    bank.archive.close()

    assert bank.archive.count() == 2000
    assert run_again == [300] * 4, "as many, however long the history"
    node = started(tmp_path)
    assert outside.usdc_balance(node.url, USDC, str(owners[0])) == 1
    assert outside.usdc_balance(node.url, USDC, str(owners[-1])) == 2000
    node.stop()


MOMENT = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


def later(seconds: int):
    return clock.frozen(MOMENT + dt.timedelta(seconds=seconds))


def test_an_idle_timeline_costs_nothing_and_never_goes_back():
    with later(0):
        timeline = Timeline(None, slot_ms=400)
        first = timeline.slot()
    with later(86_400 * 30):
        newest = timeline.slot()
        assert newest == block_at(first + 86_400 * 30 * 1000 // 400)
        timeline.slot_of(timeline.blockhash(newest))
        assert len(timeline._recent) <= 512
        assert len(timeline.facts()["anchors"]) == 1
    with later(0):
        assert timeline.slot() == newest, "a wall clock set back does not turn the chain back"


def test_a_restart_goes_on_where_the_chain_was():
    with later(0):
        before = Timeline(None, slot_ms=400)
        before.warp(1000)
    with later(100):
        slot = before.slot()
        after = Timeline(before.facts(), slot_ms=200)
        assert after.slot() == slot
        assert after.blockhash(slot) == before.blockhash(slot)
        assert after.block_time(slot) == before.block_time(slot) == int(MOMENT.timestamp()) + 100
        assert after.block_time(GENESIS_SLOT + 500) == int(MOMENT.timestamp())
    with later(110):
        assert block_at(slot + 50) == after.slot()


def test_heights_count_blocks():
    slots = [slot for slot in range(GENESIS_SLOT, GENESIS_SLOT + 100) if not skipped(slot)]
    heights = [height(slot) for slot in slots]
    assert heights == list(range(heights[0], heights[0] + len(slots)))
