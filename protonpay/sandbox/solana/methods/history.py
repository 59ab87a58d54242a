"""Methods that read transactions and blocks."""

from typing import Any

from solders.signature import Signature
from solders.transaction import VersionedTransaction

from protonpay.sandbox.solana.archive import Landed
from protonpay.sandbox.solana.encoding import (
    accounts_json,
    parse_inner,
    transaction_json,
    version,
)
from protonpay.sandbox.solana.faults import (
    BLOCK_CLEANED_UP,
    BLOCK_NOT_AVAILABLE,
    SLOT_SKIPPED,
    UNSUPPORTED_VERSION,
    RpcFault,
)
from protonpay.sandbox.solana.node import Node, in_context
from protonpay.sandbox.solana.params import Config, Params, invalid
from protonpay.sandbox.solana.slots import GENESIS_SLOT, block_at, height, skipped

_MOST_STATUSES = 256
_MOST_SIGNATURES = 1000
_MOST_BLOCKS = 500_000
_RECENT_SLOTS = 160
_ENCODINGS = ("json", "jsonParsed", "base64", "base58", "binary")
_ACCOUNTS_META = (
    "err", "status", "fee", "preBalances", "postBalances", "preTokenBalances", "postTokenBalances",
)  # fmt: skip


def get_signature_statuses(node: Node, params: Params) -> Any:
    """``getSignatureStatuses``: without history search only recent slots are known."""
    everything = params.config(1).get("searchTransactionHistory") is True
    oldest = 0 if everything else node.bank.slot() - _RECENT_SLOTS
    found = [_status(node, signature, oldest) for signature in params.signatures(0, _MOST_STATUSES)]
    return in_context(node.bank.slot(), found)


def get_signatures_for_address(node: Node, params: Params) -> Any:
    """``getSignaturesForAddress``: newest first, between ``until`` and ``before``."""
    key, config = params.pubkey(0), params.config(1)
    config.settled_commitment()
    limit = config.whole("limit") or _MOST_SIGNATURES
    if limit > _MOST_SIGNATURES:
        raise invalid(f"Invalid limit; max {_MOST_SIGNATURES}")
    before = _position(node, config.get("before"), 1 << 62)
    until = _position(node, config.get("until"), 0)
    found = node.bank.archive.naming(key, node.slot(config), (until, before), limit)
    return [
        {
            "signature": str(landed.signature),
            "slot": landed.slot,
            "err": landed.meta["err"],
            "memo": None,
            "blockTime": node.bank.timeline.block_time(landed.slot),
            "confirmationStatus": node.bank.commitment_of(landed.slot),
        }
        for landed in found
    ]


def get_transaction(node: Node, params: Params) -> Any:
    """``getTransaction``."""
    # The second parameter may be a bare encoding, as long ago.
    bare = params.get(1)
    config = Config({"encoding": bare}) if isinstance(bare, str) else params.config(1)
    newest = node.bank.slot(config.settled_commitment())
    landed = node.bank.archive.find(params.signature(0))
    if landed is None or landed.slot > newest:
        return None
    times = {"slot": landed.slot, "blockTime": node.bank.timeline.block_time(landed.slot)}
    return {
        **times,
        **_full(landed, _encoding(config), config.whole("maxSupportedTransactionVersion")),
    }


def get_block(node: Node, params: Params) -> Any:
    """``getBlock``."""
    slot, config = params.whole(0), params.config(1)
    _check_slot(slot, node.bank.slot(config.settled_commitment()))
    timeline, parent = node.bank.timeline, block_at(slot - 1)
    block = {
        "blockhash": str(timeline.blockhash(slot)),
        "previousBlockhash": str(timeline.blockhash(parent)),
        "parentSlot": parent,
        "blockTime": timeline.block_time(slot),
        "blockHeight": height(slot),
    }
    if config.get("rewards") is not False:
        block["rewards"] = []
    return block | _block_details(node.bank.archive.in_slot(slot), config)


def get_blocks(node: Node, params: Params) -> Any:
    """``getBlocks``: the slots that have a block."""
    second = params.get(1)
    bare = isinstance(second, dict)
    newest = node.bank.slot(params.config(1 if bare else 2).settled_commitment())
    start = params.whole(0)
    end = newest if bare or second is None else params.whole(1)
    if end - start > _MOST_BLOCKS:
        raise invalid(f"Slot range too large; max {_MOST_BLOCKS}")
    return _slots(max(start, GENESIS_SLOT), min(end, newest))


def get_blocks_with_limit(node: Node, params: Params) -> Any:
    """``getBlocksWithLimit``."""
    start, limit = params.whole(0), params.whole(1)
    newest = node.bank.slot(params.config(2).settled_commitment())
    if limit > _MOST_BLOCKS:
        raise invalid(f"Limit too large; max {_MOST_BLOCKS}")
    begin = max(start, GENESIS_SLOT)
    return _slots(begin, min(newest, begin + 2 * limit))[:limit]


def get_block_time(node: Node, params: Params) -> Any:
    """``getBlockTime``."""
    slot = params.whole(0)
    _check_slot(slot, node.bank.slot())
    return node.bank.timeline.block_time(slot)


def _slots(start: int, end: int) -> list[int]:
    return [slot for slot in range(start, end + 1) if not skipped(slot)]


def _status(node: Node, signature: Signature, oldest: int) -> dict[str, Any] | None:
    landed = node.bank.archive.find(signature)
    if landed is None or landed.slot < oldest:
        return None
    level = node.bank.commitment_of(landed.slot)
    blocks = height(node.bank.slot()) - height(landed.slot)
    return {
        "slot": landed.slot,
        "confirmations": None if level == "finalized" else blocks,
        "err": landed.meta["err"],
        "status": landed.meta["status"],
        "confirmationStatus": level,
    }


def _position(node: Node, signature: Any, otherwise: int) -> int:
    # A signature that no block has is no limit: the walk goes over everything.
    if signature is None:
        return otherwise
    landed = node.bank.archive.find(Params([signature]).signature(0))
    return landed.seq if landed else otherwise


def _check_slot(slot: int, newest: int) -> None:
    if slot < GENESIS_SLOT:
        first = f"First available block: {GENESIS_SLOT}"
        raise RpcFault(
            BLOCK_CLEANED_UP, f"Block {slot} cleaned up, does not exist on node. {first}"
        )
    if slot > newest:
        raise RpcFault(BLOCK_NOT_AVAILABLE, f"Block not available for slot {slot}")
    if skipped(slot):
        text = f"Slot {slot} was skipped, or missing due to ledger jump to recent snapshot"
        raise RpcFault(SLOT_SKIPPED, text)


def _encoding(config: Config) -> str:
    encoding = config.get("encoding") or "json"
    if encoding not in _ENCODINGS:
        raise invalid(f"Invalid params: unknown variant `{encoding}`.")
    return str(encoding)


def _block_details(landed: list[Landed], config: Config) -> dict[str, Any]:
    details = config.get("transactionDetails") or "full"
    if details == "none":
        return {}
    if details == "signatures":
        return {"signatures": [str(one.signature) for one in landed]}
    most = config.whole("maxSupportedTransactionVersion")
    if details == "accounts":
        return {"transactions": [_accounts_only(one, most) for one in landed]}
    if details != "full":
        raise invalid(f"Invalid params: unknown variant `{details}`.")
    return {"transactions": [_full(one, _encoding(config), most) for one in landed]}


def _full(landed: Landed, encoding: str, most: int | None) -> dict[str, Any]:
    meta = landed.meta
    said = _version(landed, most)
    if encoding == "jsonParsed":
        meta = meta | {"innerInstructions": parse_inner(meta, landed.raw)}
    transaction = transaction_json(landed.raw, encoding, meta["loadedAddresses"])
    return {"transaction": transaction, "meta": meta, **said}


def _accounts_only(landed: Landed, most: int | None) -> dict[str, Any]:
    said = _version(landed, most)
    meta = {name: landed.meta[name] for name in _ACCOUNTS_META}
    transaction = accounts_json(landed.raw, landed.meta["loadedAddresses"])
    return {"transaction": transaction, "meta": meta, **said}


def _version(landed: Landed, most: int | None) -> dict[str, Any]:
    found = version(VersionedTransaction.from_bytes(landed.raw))
    if most is None and found == "legacy":
        return {}
    if isinstance(found, int) and (most is None or found > most):
        text = (
            f"Transaction version ({found}) is not supported by the requesting client."
            " Please try the request again with the following configuration parameter:"
            f' "maxSupportedTransactionVersion": {found}'
        )
        raise RpcFault(UNSUPPORTED_VERSION, text)
    return {"version": found}


METHODS = {
    "getSignatureStatuses": get_signature_statuses,
    "getSignaturesForAddress": get_signatures_for_address,
    "getTransaction": get_transaction,
    "getBlock": get_block,
    "getBlocks": get_blocks,
    "getBlocksWithLimit": get_blocks_with_limit,
    "getBlockTime": get_block_time,
}
