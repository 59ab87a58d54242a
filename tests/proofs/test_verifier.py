"""The offline verifier, as a program of its own, on what the product really says; and on lies."""

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from protonpay.kernel.money import ZERO, Usdc
from protonpay.ledger import chart, entries
from protonpay.ledger import service as ledger
from protonpay.proofs import reserves, service
from protonpay.store.db import db, transaction
from tests.actors import Actor
from tests.proofs.conftest import Told, proof_of

VERIFIER = Path(__file__).parents[2] / "examples" / "verify_proof.py"


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    # Isolated: nothing of ours can be imported, were it tried.
    return subprocess.run(
        [sys.executable, "-I", str(VERIFIER), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def published(
    house: Flask, networks: Mapping[str, Told], alice: Actor, bob: Actor, tmp_path: Path
) -> SimpleNamespace:
    """Files as an integrator has them: a proof, the chain, the reserves."""
    with transaction():
        for number in range(5):
            ledger.open_accounts(chart.of_user(f"c{number:024}"))
        ledger.post(entries.transfer("t1", alice.id, bob.id, Usdc.parse("12.345678"), Usdc(250)))
        ledger.post(entries.payout_hold("p1", alice.id, Usdc.parse("100")))
    service.take()
    reserves.read()
    service.publish()
    with transaction():
        ledger.post(entries.transfer("t2", alice.id, bob.id, Usdc.parse("1"), ZERO))
    service.take()
    reserves.read()
    service.publish()
    with transaction():
        # What follows the head is in the export and not in the head.
        ledger.post(entries.transfer("t3", alice.id, bob.id, Usdc.parse("1"), ZERO))
    service.take()
    db.session.commit()
    runner = house.test_cli_runner()
    files = {"chain": tmp_path / "chain.jsonl", "reserves": tmp_path / "reserves.jsonl"}
    for name, path in files.items():
        said = runner.invoke(args=["ops", f"ledger-{'export' if name == 'chain' else name}"])
        assert said.exit_code == 0, said.output
        path.write_text(said.stdout)
    proof = tmp_path / "proof.json"
    proof.write_text(json.dumps({"proof": proof_of(alice)}))
    return SimpleNamespace(proof=proof, **files)


def test_it_needs_nothing_but_the_standard_library():
    names = {
        name.split(".")[0]
        for part in ast.walk(ast.parse(VERIFIER.read_text()))
        for name in (
            [part.module or ""]
            if isinstance(part, ast.ImportFrom)
            else [alias.name for alias in part.names]
            if isinstance(part, ast.Import)
            else []
        )
    }
    assert names <= sys.stdlib_module_names


def test_what_is_true_holds(published: SimpleNamespace):
    head = json.loads(published.proof.read_text())["proof"]["head"]
    done = _run(published.proof)
    assert (done.returncode, done.stderr) == (0, "")
    assert "your balance of 986.654072 USDC is in the total of 999.99975 USDC" in done.stdout
    done = _run(
        *(published.proof, "--head", head["hash"].upper()),
        *("--chain", published.chain, "--reserves", published.reserves),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("ok  ") == 5
    assert f"{head['position']} entries of the book lead to" in done.stdout
    assert "Base: 1000.00 USDC on chain" in done.stdout


def test_a_user_without_money_has_a_proof_too(published: SimpleNamespace, bob: Actor):
    published.proof.write_text(json.dumps({"proof": proof_of(bob)}))
    assert _run(published.proof, "--chain", published.chain).returncode == 0


Change = Callable[[dict[str, Any]], None]


def _set(*path: str | int, to: Any) -> Change:
    def change(proof: dict[str, Any]) -> None:
        place: Any = proof
        for member in path[:-1]:
            place = place[member]
        place[path[-1]] = to

    return change


def _shift(proof: dict[str, Any]) -> None:
    """Make one sum on the way smaller and the total with it, so that the root still adds up."""
    richest = max(proof["path"], key=lambda step: float(step["sum"]))
    richest["sum"] = "1.00"
    proof["head"]["totalLiabilities"] = "987.654072"


def _swap(proof: dict[str, Any]) -> None:
    for step in proof["path"]:
        step["side"] = "LEFT" if step["side"] == "RIGHT" else "RIGHT"


LIES: Mapping[str, tuple[Change, str]] = {
    "a smaller balance": (_set("balance", to="900.00"), "the root that your balance leads to"),
    "a larger balance": (_set("balance", to="2000.00"), "the root that your balance leads to"),
    "a negative balance": (_set("balance", to="-1.00"), "your balance is no amount from zero on"),
    "a rounded balance": (_set("balance", to="986.6540721"), "your balance is no amount"),
    "a number for text": (_set("balance", to=986.65), "your balance is no amount"),
    "another user": (_set("userId", to="c" * 25), "the root that your balance leads to"),
    "another salt": (_set("salt", to="00" * 32), "the root that your balance leads to"),
    "half a salt": (_set("salt", to="00" * 16), "the salt is no hash"),
    "a negative sum": (_set("path", 0, "sum", to="-5.00"), "the sum of step 1 is no amount"),
    "a sum beyond all": (_set("path", 1, "sum", to="9223372036854.775808"), "larger than can be"),
    "a sum that wraps": (_set("path", 1, "sum", to="9223372036854.775807"), "at step"),
    "less owed": (_shift, "the root that your balance leads to"),
    "another node": (_set("path", 0, "hash", to="ab" * 32), "the root that your balance leads to"),
    "no side": (_set("path", 0, "side", to="UP"), "step 1 stands neither left nor right"),
    "the other side": (_swap, "the root that your balance leads to"),
    "a shorter path": (_set("path", to=[]), "the length of the path is 0, not 3"),
    "fewer accounts": (_set("head", "leaves", to=6), "the hash of what the head says"),
    "a smaller total": (_set("head", "totalLiabilities", to="1.00"), "the sum at the root"),
    "another root": (_set("head", "root", to="cd" * 32), "the root that your balance leads to"),
    "another day": (_set("head", "day", to="2020-01-01"), "the hash of what the head says"),
    "less debt": (_set("head", "totalDebts", to="5.00"), "the hash of what the head says"),
    "another chain": (_set("head", "chainHash", to="ef" * 32), "the hash of what the head says"),
    "another past": (_set("head", "previousHash", to="ef" * 32), "the hash of what the head says"),
    "more reserves": (
        _set("head", "reserves", 0, "amount", to="9000.00"),
        "the hash of what the head says",
    ),
    "nothing unknown": (
        _set("head", "reserves", 0, "addressesUnknown", to=1),
        "the hash of what the head says",
    ),
    "another hash": (_set("head", "hash", to="12" * 32), "the hash of what the head says"),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_is_not_true_is_refused(published: SimpleNamespace, lie: str):
    change, said = LIES[lie]
    told = json.loads(published.proof.read_text())
    change(told["proof"])
    published.proof.write_text(json.dumps(told))
    done = _run(published.proof)
    assert done.returncode == 1, done.stdout
    assert done.stderr.startswith("REFUSED: ")
    assert said in done.stderr


def test_another_head_than_the_published_one(published: SimpleNamespace):
    done = _run(published.proof, "--head", "34" * 32)
    assert done.returncode == 1
    assert "the head's hash is" in done.stderr


def _edit(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    path.write_text("".join(change(path.read_text().splitlines(keepends=True))))


def _more(lines: list[str]) -> list[str]:
    told = json.loads(lines[2])
    told["entry"][8] = str(int(told["entry"][8]) + 1)
    return [*lines[:2], json.dumps(told, separators=(",", ":")) + "\n", *lines[3:]]


CHAINS: Mapping[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "an amount": (_more, "is not what was sealed"),
    "an entry less": (lambda lines: lines[:1] + lines[2:], "the place of line 2"),
    "two changed places": (lambda lines: [lines[1], lines[0], *lines[2:]], "the place of line 1"),
    "an end that is missing": (lambda lines: lines[:2], "the chain ends at 2"),
    "nothing": (lambda lines: lines[:0], "the chain ends at 0"),
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_that_was_rewritten(published: SimpleNamespace, name: str):
    change, said = CHAINS[name]
    _edit(published.chain, change)
    done = _run(published.proof, "--chain", published.chain)
    assert done.returncode == 1, done.stdout
    assert said in done.stderr


def test_a_chain_rewritten_with_all_its_hashes(published: SimpleNamespace):
    """Whoever holds the database can seal another past; the head that was published knows."""
    forged = subprocess.run(
        [sys.executable, "-c", _FORGE, str(published.chain)], check=True, capture_output=True
    )
    published.chain.write_bytes(forged.stdout)
    done = _run(published.proof, "--chain", published.chain)
    assert done.returncode == 1
    assert "the chain at" in done.stderr


_FORGE = """
import hashlib, json, sys
previous = bytes(32)
for line in open(sys.argv[1]):
    told = json.loads(line)
    told["entry"][8] = str(int(told["entry"][8]) + 1)
    text = json.dumps(told["entry"], separators=(",", ":"))
    previous = hashlib.sha256(previous + text.encode()).digest()
    print(json.dumps({**told, "hash": previous.hex()}))
"""


def test_reserves_that_were_changed(published: SimpleNamespace):
    _edit(published.reserves, lambda lines: [lines[0].replace("1000000000", "2000000000")])
    done = _run(published.proof, "--reserves", published.reserves)
    assert done.returncode == 1
    assert "the hash of the list of addresses" in done.stderr


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"proof": {}}', "\x00"])
def test_what_is_no_proof(published: SimpleNamespace, content: str):
    published.proof.write_text(content)
    done = _run(published.proof)
    assert done.returncode == 2
    assert done.stderr.startswith("UNREADABLE: ")
