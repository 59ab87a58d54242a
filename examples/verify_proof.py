r"""Verify that Proton Pay counted your balance, with Python's standard library alone.

    curl -H "Authorization: Bearer $TOKEN" \
        https://protonpay.org/api/client/ledger/proof > proof.json
    python verify_proof.py proof.json

Checks that your balance is a leaf under the published root, that no sum on the way is negative or
too large, that the root's sum is the total that was published, and that the head's hash is of all
it says. Compare that hash with the one that others were shown: only if it is the same for all of
you does the total hold everybody.

    --head HASH           the hash that was published elsewhere
    --reserves FILE       `flask ops ledger-reserves`: what each address held
    --chain FILE          `flask ops ledger-export`: every entry of the book, from the first on

With the chain each balance is computed anew from the entries: yours and the total.
Exit status 0: everything holds; 1: something does not, and the message says what; 2: unreadable.
"""

import argparse
import hashlib
import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

MICRO = 1_000_000
LIMIT = 2**63
ZEROS = bytes(32)
_AMOUNT = re.compile(r"(0|[1-9][0-9]*)\.([0-9]{2,6})", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Refused(Exception):
    """Something does not hold; the message says what."""


def main() -> int:
    """Verify what the command line names."""
    parser = argparse.ArgumentParser(description="Verify a proof of liabilities.")
    parser.add_argument("proof", type=Path, help="what GET /client/ledger/proof answered")
    parser.add_argument("--head", help="the head's hash, as published elsewhere")
    parser.add_argument("--reserves", type=Path, help="the list of addresses")
    parser.add_argument("--chain", type=Path, help="the book's entries")
    options = parser.parse_args()
    try:
        proof = json.loads(options.proof.read_text(encoding="utf-8"))["proof"]
        for line in verify(proof, options):
            print(line)
    except Refused as refused:
        print(f"REFUSED: {refused}", file=sys.stderr)
        return 1
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        print(f"UNREADABLE: {error!r}", file=sys.stderr)
        return 2
    return 0


def verify(proof: Any, options: argparse.Namespace) -> list[str]:
    """Verify everything that is there; return what holds, line by line.

    Raises:
        Refused: something does not hold.
    """
    head = proof["head"]
    check_inclusion(proof)
    check_head(head)
    total = f"{head['totalLiabilities']} USDC, {head['leaves']} accounts, as of {head['takenAt']}"
    said = [
        f"ok  your balance of {proof['balance']} USDC is in the total of {total}",
        f"ok  head {head['number']}: {head['hash']}",
    ]
    if options.head:
        expect("the head's hash", head["hash"], options.head.lower())
        said.append("ok  it is the head that was published")
    if options.reserves:
        said.append(check_reserves(head, options.reserves.read_text(encoding="utf-8")))
    if options.chain:
        said.append(check_chain(proof, options.chain))
    return said + backing(head)


def check_inclusion(proof: Any) -> None:
    """Walk from the leaf to the root, adding up."""
    head, balance = proof["head"], micro(proof["balance"], "your balance")
    leaf = b"\x00" + hashed(proof["salt"], "the salt") + proof["userId"].encode() + packed(balance)
    digest, total = hashlib.sha256(leaf).digest(), balance
    leaves = whole(head["leaves"], "the number of accounts")
    expect("the length of the path", len(proof["path"]), max(leaves - 1, 0).bit_length())
    for place, step in enumerate(proof["path"], 1):
        beside = (
            hashed(step["hash"], f"step {place}"),
            micro(step["sum"], f"the sum of step {place}"),
        )
        if step["side"] not in ("LEFT", "RIGHT"):
            raise Refused(f"step {place} stands neither left nor right")
        left, right = (digest, total), beside
        if step["side"] == "LEFT":
            left, right = right, left
        node = b"\x01" + left[0] + packed(left[1]) + right[0] + packed(right[1])
        digest, total = hashlib.sha256(node).digest(), left[1] + right[1]
        if total >= LIMIT:
            raise Refused(f"the sum at step {place} is larger than can be")
    expect("the root that your balance leads to", digest.hex(), head["root"])
    expect("the sum at the root", total, micro(head["totalLiabilities"], "the total"))


def check_head(head: Any) -> None:
    """Hash all that the head says, and compare."""
    total = micro(head["totalLiabilities"], "the total")
    parts = [
        *("Proton Pay head 1", whole(head["number"], "the number"), head["day"], head["takenAt"]),
        *(whole(head["position"], "the position"), head["chainHash"], head["root"]),
        *(whole(head["leaves"], "the number of accounts"), total),
        *(micro(head["totalDebts"], "the debts"), head["reservesHash"], head["previousHash"]),
    ]
    for of in head["reserves"]:
        parts += [of["network"], of["addresses"], of["addressesUnknown"], of["firstBlock"]]
        parts += [of["lastBlock"], micro(of["amount"], f"the reserves on {of['network']}")]
    expect("the hash of what the head says", sha256(array(parts)).hex(), head["hash"])


def check_reserves(head: Any, lines: str) -> str:
    """Compare the list of addresses with its hash and its totals."""
    expect("the hash of the list of addresses", sha256(lines).hex(), head["reservesHash"])
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for line in lines.splitlines():
        network, _, _, _, amount = json.loads(line)
        count = found[network]
        count[0] += 1
        count[1] += amount == ""
        count[2] += int(amount or 0)
    told = {
        of["network"]: [of["addresses"], of["addressesUnknown"], micro(of["amount"], "reserves")]
        for of in head["reserves"]
    }
    expect("the totals of the addresses", dict(found), told)
    return "ok  the list of addresses is the one that was published, and adds up"


def check_chain(proof: Any, path: Path) -> str:
    """Hash every entry after the one before, and compute the balances from them."""
    head, previous = proof["head"], ZEROS
    balances: dict[str, int] = defaultdict(int)
    last = whole(head["position"], "the position")
    place = 0
    with path.open(encoding="utf-8") as lines:
        for place, line in enumerate(lines, 1):
            told = json.loads(line)
            entry = told["entry"]
            expect(f"the place of line {place}", [told["position"], entry[0]], [place, str(place)])
            previous = hashlib.sha256(previous + array(entry).encode()).digest()
            if previous.hex() != told["hash"]:
                raise Refused(f"entry {entry[1]} ({entry[2]}) at {place} is not what was sealed")
            if place <= last:
                move(balances, entry)
            if place == last:
                expect(f"the chain at {place}", previous.hex(), head["chainHash"])
    if place < last:
        raise Refused(f"the chain ends at {place}, the head is of {last}")
    if last == 0:
        expect("the chain before its first entry", ZEROS.hex(), head["chainHash"])
    owed, debts, mine = add_up(balances, proof["userId"])
    expect("your balance by the entries", mine, micro(proof["balance"], "your balance"))
    expect("the total by the entries", owed, micro(head["totalLiabilities"], "the total"))
    expect("the debts by the entries", debts, micro(head["totalDebts"], "the debts"))
    return f"ok  {last} entries of the book lead to the chain's hash, your balance and the total"


def move(balances: dict[str, int], entry: list[str]) -> None:
    """Move what an entry's postings say."""
    for start in range(5, len(entry), 4):
        _, source, destination, amount = entry[start : start + 4]
        balances[source] -= int(amount)
        balances[destination] += int(amount)


def add_up(balances: dict[str, int], user_id: str) -> tuple[int, int, int]:
    """Return what is owed to all users, what they owe, and what one of them has."""
    owed = debts = mine = 0
    for address, balance in balances.items():
        owner, _, kind = address.removeprefix("user:").partition(":")
        if not address.startswith("user:"):
            continue
        if kind == "debt":
            debts -= balance
            continue
        if balance < 0:
            raise Refused(f"{address} is below zero")
        owed += balance
        mine += balance if owner == user_id else 0
    return owed, debts, mine


def backing(head: Any) -> list[str]:
    """Say what stands beside the liabilities: information, not a condition."""
    said = []
    for of in head["reserves"]:
        unknown = of["addressesUnknown"]
        at = f"blocks {of['firstBlock']} to {of['lastBlock']}"
        missing = f"; {unknown} addresses UNKNOWN" if unknown else ""
        said.append(f"--  {of['network']}: {of['amount']} USDC on chain, {at}{missing}")
    return said


def expect(what: str, found: Any, wanted: Any) -> None:
    """Refuse when two values differ that must be the same."""
    if found != wanted:
        raise Refused(f"{what} is {found}, not {wanted}")


def micro(text: Any, what: str) -> int:
    """Read an exact amount, never below zero, in millionths of a USDC."""
    match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise Refused(f"{what} is no amount from zero on: {text}")
    amount = int(match[1]) * MICRO + int(match[2].ljust(6, "0"))
    if amount >= LIMIT:
        raise Refused(f"{what} is larger than can be: {text}")
    return amount


def whole(value: Any, what: str) -> int:
    """Read a whole number from zero on."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Refused(f"{what} is no whole number from zero on: {value}")
    return value


def hashed(text: Any, what: str) -> bytes:
    """Read 32 bytes."""
    if not isinstance(text, str) or not _HASH.fullmatch(text):
        raise Refused(f"{what} is no hash: {text}")
    return bytes.fromhex(text)


def packed(amount: int) -> bytes:
    """Write a sum as the tree hashes it."""
    return amount.to_bytes(8, "big")


def sha256(text: str) -> bytes:
    """Hash a text."""
    return hashlib.sha256(text.encode()).digest()


def array(parts: list[Any]) -> str:
    """Write a JSON array of texts, without spaces, as it is hashed."""
    texts = ["" if part is None else str(part) for part in parts]
    return json.dumps(texts, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    sys.exit(main())
