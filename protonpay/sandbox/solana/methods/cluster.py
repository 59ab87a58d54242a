"""Methods that read the state of the cluster."""

from typing import Any

from protonpay.sandbox.solana.bank import SLOTS_PER_EPOCH
from protonpay.sandbox.solana.node import API_VERSION, Node, in_context
from protonpay.sandbox.solana.params import Params
from protonpay.sandbox.solana.slots import (
    GENESIS_SLOT,
    block_at,
    height,
    last_valid_height,
    skipped,
)

_FEE_SLOTS = 150
_MOST_FEE_ACCOUNTS = 128


def get_slot(node: Node, params: Params) -> Any:
    """``getSlot``."""
    return node.slot(params.config(0))


def get_block_height(node: Node, params: Params) -> Any:
    """``getBlockHeight``."""
    return height(node.slot(params.config(0)))


def get_epoch_info(node: Node, params: Params) -> Any:
    """``getEpochInfo``."""
    slot = node.slot(params.config(0))
    epoch, index = divmod(slot, SLOTS_PER_EPOCH)
    return {
        "absoluteSlot": slot,
        "blockHeight": height(slot),
        "epoch": epoch,
        "slotIndex": index,
        "slotsInEpoch": SLOTS_PER_EPOCH,
        "transactionCount": node.bank.archive.count(),
    }


def get_latest_blockhash(node: Node, params: Params) -> Any:
    """``getLatestBlockhash``."""
    slot = node.slot(params.config(0))
    blockhash = str(node.bank.timeline.blockhash(slot))
    value = {"blockhash": blockhash, "lastValidBlockHeight": last_valid_height(slot)}
    return in_context(slot, value)


def is_blockhash_valid(node: Node, params: Params) -> Any:
    """``isBlockhashValid``."""
    slot = node.slot(params.config(1))
    return in_context(slot, node.bank.is_recent(params.blockhash(0), slot))


def get_recent_prioritization_fees(node: Node, params: Params) -> Any:
    """``getRecentPrioritizationFees``: the same for every account here."""
    if params.get(0) is not None:
        params.pubkeys(0, _MOST_FEE_ACCOUNTS)
    newest = node.bank.slot()
    recent = range(max(block_at(newest - _FEE_SLOTS), GENESIS_SLOT), newest + 1)
    return [
        {"slot": slot, "prioritizationFee": node.priority_fee}
        for slot in recent
        if not skipped(slot)
    ]


def get_transaction_count(node: Node, _: Params) -> Any:
    """``getTransactionCount``."""
    return node.bank.archive.count()


def get_first_available_block(_: Node, __: Params) -> Any:
    """``getFirstAvailableBlock``."""
    return GENESIS_SLOT


def get_genesis_hash(node: Node, _: Params) -> Any:
    """``getGenesisHash``: never mainnet's, so that nobody can take this for it."""
    return str(node.bank.timeline.blockhash(GENESIS_SLOT))


def get_version(_: Node, __: Params) -> Any:
    """``getVersion``."""
    return {"solana-core": API_VERSION, "feature-set": 0}


def get_health(_: Node, __: Params) -> Any:
    """``getHealth``."""
    return "ok"


METHODS = {
    "getSlot": get_slot,
    "getBlockHeight": get_block_height,
    "getEpochInfo": get_epoch_info,
    "getLatestBlockhash": get_latest_blockhash,
    "isBlockhashValid": is_blockhash_valid,
    "getRecentPrioritizationFees": get_recent_prioritization_fees,
    "getTransactionCount": get_transaction_count,
    "getFirstAvailableBlock": get_first_available_block,
    "getGenesisHash": get_genesis_hash,
    "getVersion": get_version,
    "getHealth": get_health,
}
