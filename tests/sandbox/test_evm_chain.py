"""The local EVM chain: real USDC, finality as on mainnet, and nothing final ever lost."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from protonpay.sandbox import evm_outside as outside
from protonpay.sandbox.evm import abi
from protonpay.sandbox.evm.rpc import NodeError, Rpc
from protonpay.sandbox.evm.store import Store, Unreadable
from tests.patience import until

USDC = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"
# DOMAIN_SEPARATOR() of that contract on Base mainnet.
BASE_SEPARATOR = "0x02fa7265e7c5d81118673727957699e4d68f74cd74b7db77da710fe8a2c7834f"
HASHES_ONLY = False
PAYEE = "0x1111111111111111111111111111111111111111"
ADMIN_SLOT = "0x" + abi.keccak256(b"org.zeppelinos.proxy.admin").hex()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(*options: str, port: int) -> subprocess.Popen:
    command = [sys.executable, "-m", "protonpay.sandbox.evm"]
    command += ["--listen", f"127.0.0.1:{port}", "--chain-id", "8453", "--usdc", USDC]
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    return process


@contextmanager
def running(*options: str, port: int | None = None, end: int = signal.SIGTERM):
    port = port or free_port()
    process = start(*options, port=port)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(end)
        process.communicate(timeout=10)


def block(rpc: Rpc, tag: str) -> dict:
    return rpc("eth_getBlockByNumber", tag, HASHES_ONLY)


def number(rpc: Rpc, tag: str) -> int:
    return int(block(rpc, tag)["number"], 16)


def final_receipt(url: str, tx_hash: str) -> dict:
    rpc = Rpc(url)
    receipt = rpc("eth_getTransactionReceipt", tx_hash)
    until(lambda: number(rpc, "finalized") >= int(receipt["blockNumber"], 16))
    return receipt


@pytest.fixture(scope="module")
def chain():
    with running("--no-state", "--interval", "0.02") as url:
        yield url


def text(rpc: Rpc, function: str) -> str:
    answer = bytes.fromhex(rpc("eth_call", {"to": USDC, "data": abi.call(function)}, "latest")[2:])
    return answer[64 : 64 + int.from_bytes(answer[32:64])].decode()


def test_usdc_is_mainnets_in_every_word_a_signature_depends_on(chain):
    rpc = Rpc(chain)
    assert (text(rpc, "name()"), text(rpc, "symbol()")) == ("USD Coin", "USDC")
    assert (text(rpc, "version()"), text(rpc, "currency()")) == ("2", "USD")
    decimals = rpc("eth_call", {"to": USDC, "data": abi.call("decimals()")}, "latest")
    separator = rpc("eth_call", {"to": USDC, "data": abi.call("DOMAIN_SEPARATOR()")}, "latest")
    assert (int(decimals, 16), separator) == (6, BASE_SEPARATOR)


def test_the_proxys_admin_is_not_the_tokens_owner(chain):
    rpc = Rpc(chain)
    owner = rpc("eth_call", {"to": USDC, "data": abi.call("owner()")}, "latest")
    admin = rpc("eth_getStorageAt", USDC, ADMIN_SLOT, "latest")
    accounts = rpc("eth_accounts")
    assert [int(owner, 16), int(admin, 16)] == [int(accounts[1], 16), int(accounts[2], 16)]


def test_usdc_and_native_coin_come_from_outside(chain):
    before = outside.usdc_balance(chain, USDC, PAYEE), outside.native_balance(chain, PAYEE)
    outside.send_usdc(chain, USDC, PAYEE, 12_345)
    outside.mint(chain, USDC, PAYEE, 5)
    outside.send_native(chain, PAYEE, 7)
    after = outside.usdc_balance(chain, USDC, PAYEE), outside.native_balance(chain, PAYEE)
    assert after == (before[0] + 12_350, before[1] + 7)


def test_a_blocked_address_is_not_paid_until_it_is_free_again(chain):
    blocked = "0x2222222222222222222222222222222222222222"
    outside.freeze(chain, USDC, blocked)
    with pytest.raises(NodeError, match="account is blacklisted"):
        outside.send_usdc(chain, USDC, blocked, 1)
    assert outside.usdc_balance(chain, USDC, blocked) == 0
    outside.unfreeze(chain, USDC, blocked)
    outside.send_usdc(chain, USDC, blocked, 1)
    assert outside.usdc_balance(chain, USDC, blocked) == 1


def test_a_paused_token_moves_nothing(chain):
    before = outside.usdc_balance(chain, USDC, PAYEE)
    outside.pause(chain, USDC)
    try:
        with pytest.raises(NodeError, match="Pausable: paused"):
            outside.send_usdc(chain, USDC, PAYEE, 1)
    finally:
        outside.unpause(chain, USDC)
    assert outside.usdc_balance(chain, USDC, PAYEE) == before


def test_what_is_mined_becomes_final_and_then_the_chain_rests(chain):
    rpc = Rpc(chain)
    receipt = final_receipt(chain, outside.send_usdc(chain, USDC, PAYEE, 1))
    mined = int(receipt["blockNumber"], 16)
    until(lambda: len({number(rpc, "latest") for _ in range(200)}) == 1)
    heights = [number(rpc, tag) for tag in ("finalized", "safe", "latest")]
    assert heights == [mined, mined + 1, mined + 2]


@pytest.mark.slow
def test_an_idle_chains_time_goes_on():
    with running("--no-state", "--interval", "0.02", "--heartbeat", "0.1") as url:
        rpc = Rpc(url)
        before = number(rpc, "latest")
        until(lambda: number(rpc, "latest") > before)


@pytest.mark.slow
def test_the_node_dies_with_its_parent_whatever_kills_it():
    port = free_port()
    process = start("--no-state", port=port)
    process.kill()
    process.communicate()

    def gone():
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return True
        return False

    until(gone)


@pytest.mark.slow
def test_everything_final_survives_a_kill(tmp_path):
    with running("--state", str(tmp_path), "--interval", "0.02", end=signal.SIGKILL) as url:
        tx_hash = outside.send_usdc(url, USDC, PAYEE, 77)
        receipt = final_receipt(url, tx_hash)
        final = block(Rpc(url), "finalized")
        sender = Rpc(url)("eth_accounts")[0]
        sent = Rpc(url)("eth_getTransactionCount", sender, "finalized")
    with running("--state", str(tmp_path), "--interval", "0.02") as url:
        rpc = Rpc(url)
        assert rpc("eth_getTransactionReceipt", tx_hash) == receipt
        assert block(rpc, final["number"])["hash"] == final["hash"]
        assert number(rpc, "finalized") >= int(final["number"], 16)
        assert outside.usdc_balance(url, USDC, PAYEE, "finalized") == 77
        assert rpc("eth_getTransactionCount", sender, "finalized") == sent


@pytest.mark.slow
def test_no_moment_of_a_kill_loses_a_final_block(tmp_path):
    final: dict[str, str] = {}
    for moment in (1, 4, 9):
        port = free_port()
        process = start("--state", str(tmp_path), "--interval", "0.005", port=port)
        rpc = Rpc(f"http://127.0.0.1:{port}")
        assert {n: block(rpc, n)["hash"] for n in final} == final
        accounts = rpc("eth_accounts")
        goal = number(rpc, "latest") + moment
        while number(rpc, "latest") < goal:
            order = {"from": accounts[5], "to": accounts[6], "value": "0x1", "gas": "0x5208"}
            rpc("eth_sendTransaction", order)
            newest = block(rpc, "finalized")
            final[newest["number"]] = newest["hash"]
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    assert len(final) > 3


@pytest.mark.slow
def test_who_is_alone_with_a_chain_makes_its_blocks(tmp_path):
    with running("--state", str(tmp_path), "--interval", "0.005") as url:
        rpc = Rpc(url)
        order = {"from": rpc("eth_accounts")[5], "to": PAYEE, "value": "0x1", "gas": "0x5208"}
        with Store(tmp_path).alone():
            before = number(rpc, "latest")
            for made in range(1, 31):  # each many of the miner's pauses long
                tx_hash = rpc("eth_sendTransaction", order)
                rpc("evm_mine")
                assert number(rpc, "latest") == before + made
        assert final_receipt(url, tx_hash)


@pytest.mark.slow
def test_a_damaged_state_falls_back_to_the_one_before(tmp_path):
    with running("--state", str(tmp_path), "--interval", "0.02") as url:
        final_receipt(url, outside.send_usdc(url, USDC, PAYEE, 77))
    newest = tmp_path / "chain.json.gz"
    newest.write_bytes(newest.read_bytes()[:-1000])
    with running("--state", str(tmp_path)) as url:
        assert outside.usdc_balance(url, USDC, PAYEE, "finalized") == 77


def test_two_damaged_states_are_never_replaced_by_an_empty_chain(tmp_path):
    for name in ("chain.json.gz", "chain.before.json.gz"):
        Path(tmp_path, name).write_bytes(b"\x1f\x8bnot a state")
    with pytest.raises(Unreadable):
        Store(tmp_path).unpack()
