"""Further EVM networks, as the setting ``EVM_NETWORKS`` has them: JSON, checked throughout."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from protonpay.chains.addresses import checksummed
from protonpay.chains.networks import BUILT_IN, MULTICALL3
from protonpay.chains.port import Network
from protonpay.kernel.money import Usdc

SETTING = "EVM_NETWORKS"
_NAME = re.compile(r"[A-Z][A-Za-z0-9]{1,31}", re.ASCII)
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_LONGEST_TEXT = 64
# Wallets and JSON readers keep whole numbers exactly up to here.
_LARGEST = 2**53


@dataclass(frozen=True, slots=True)
class Further:
    """What the setting says.

    Attributes:
        networks: in its order; only whole when there are no problems.
        rpc_urls: network name → JSON-RPC address.
        problems: what is wrong, in words for the one who sets it; no address of a node, whose
            path may be a key.
    """

    networks: Sequence[Network] = ()
    rpc_urls: Mapping[str, str] = field(default_factory=dict)
    problems: Sequence[str] = ()


def read(written: str) -> Further:
    """Read the setting; empty is no further network."""
    if not written.strip():
        return Further()
    try:
        entries = json.loads(written, object_pairs_hook=_object)
    except ValueError as error:
        return Further(problems=[f"{SETTING} is not JSON: {error}"])
    if not isinstance(entries, list):
        return Further(problems=[f"{SETTING} is a list of objects"])
    problems = [said for number, entry in enumerate(entries, 1) for said in _wrong(number, entry)]
    if problems:
        return Further(problems=problems)
    return Further(
        networks=[_network(entry) for entry in entries],
        rpc_urls={entry["name"]: entry["rpcUrl"] for entry in entries},
        problems=_alike(entries),
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a member stands twice in one object")
    return dict(pairs)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _is_whole(value: Any) -> bool:
    return type(value) is int and 0 < value < _LARGEST


def _is_address(value: Any) -> bool:
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        return False
    return checksummed(bytes.fromhex(value[2:])) == value


def _are_addresses(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_address, value))


def _is_url(value: Any) -> bool:
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _is_amount(value: Any) -> bool:
    try:
        Usdc.parse(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


_REQUIRED = ("name", "chainId", "usdc", "rpcUrl")
_AN_ADDRESS = "is an address with its checksum (EIP-55)"
_A_NUMBER = "is a whole number above 0"
_A_TEXT = "is a text as the contract has it"
_MEMBERS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "name": (_is_name, "is a capital letter and up to 31 letters or digits"),
    "chainId": (_is_whole, _A_NUMBER),
    "usdc": (_is_address, _AN_ADDRESS),
    "rpcUrl": (_is_url, "is an address such as https://node.example.com"),
    "domainName": (_is_text, _A_TEXT),
    "domainVersion": (_is_text, _A_TEXT),
    "tipFloorWei": (_is_whole, _A_NUMBER),
    "maxFeeWei": (_is_whole, _A_NUMBER),
    "multicall": (_is_address, _AN_ADDRESS),
    "refused": (_are_addresses, "is a list of addresses with their checksums (EIP-55)"),
    "withdrawalFee": (_is_amount, 'is USDC as a text, such as "0.05"'),
}


def _wrong(number: int, entry: Any) -> list[str]:
    """Name what is wrong with one entry by itself."""
    if not isinstance(entry, dict):
        return [f"{SETTING}: entry {number} is not an object"]
    where = f"{SETTING}: {entry['name'] if _is_name(entry.get('name')) else f'entry {number}'}"
    missing = [f"{where} has no {member}" for member in _REQUIRED if member not in entry]
    unknown = [f"{where} has an unknown member {one!r}" for one in entry if one not in _MEMBERS]
    bad = [
        f"{where}: {member} {wanted}"
        for member, (is_good, wanted) in _MEMBERS.items()
        if member in entry and not is_good(entry[member])
    ]
    return [*missing, *unknown, *bad]


def _network(entry: Mapping[str, Any]) -> Network:
    fee = entry.get("withdrawalFee")
    return Network(
        name=entry["name"],
        family="evm",
        chain_id=entry["chainId"],
        usdc=entry["usdc"],
        refused=frozenset(entry.get("refused", ())),
        withdrawal_fee=None if fee is None else Usdc.parse(fee),
        options={
            "multicall": entry.get("multicall", MULTICALL3),
            "domain_name": entry.get("domainName", "USD Coin"),
            "domain_version": entry.get("domainVersion", "2"),
            # A node's own suggestion holds where it is higher; a ceiling too low makes payouts
            # wait (fees_high), one too high costs money.
            "tip_floor_wei": entry.get("tipFloorWei", 1_000_000),
            "max_fee_wei": entry.get("maxFeeWei", 5_000_000_000),
        },
    )


def _alike(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name what two networks must not have in common, and fees that leave no room."""
    found = [
        f"{SETTING}: {of.name}: maxFeeWei is below tipFloorWei"
        for of in map(_network, entries)
        if int(of.options["max_fee_wei"]) < int(of.options["tip_floor_wei"])
    ]
    # In settings names are in capitals (BASE_PAYOUT_CEILINGS).
    names = {name.upper() for name in BUILT_IN}
    chain_ids = {network.chain_id for network in BUILT_IN.values()}
    for entry in entries:
        if entry["name"].upper() in names:
            found.append(f"{SETTING}: there is a network {entry['name']} already")
        if entry["chainId"] in chain_ids:
            # One gas wallet under two names would use each of its nonces twice.
            found.append(f"{SETTING}: {entry['name']}: chain {entry['chainId']} is there already")
        names.add(entry["name"].upper())
        chain_ids.add(entry["chainId"])
    return found
