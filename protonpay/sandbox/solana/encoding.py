"""Accounts and transactions in the encodings of the RPC."""

from typing import Any

from solders.account import Account
from solders.message import MessageV0, MessageV1
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from protonpay.sandbox.solana import base58, parsed
from protonpay.sandbox.solana.faults import INVALID_REQUEST, RpcFault
from protonpay.sandbox.solana.receipts import AnyMessage, instruction_json, static_writable

_BASE58_LIMIT = 128
_TOO_LONG_FOR_BASE58 = (
    "Encoded binary (base 58) data should be less than 128 bytes, please use Base64 encoding."
)


def account_json(
    held: Account | None, encoding: str, part: slice | None, mint: Account | None
) -> dict[str, Any] | None:
    """Spell an account, or null when there is none.

    Args:
        held: the account.
        encoding: as asked for; empty for the old default.
        part: the ``dataSlice``.
        mint: the mint of a token account, for ``jsonParsed``.
    """
    if held is None:
        return None
    said = parsed.account(held, mint) if encoding == "jsonParsed" else None
    return {
        "lamports": held.lamports,
        "owner": str(held.owner),
        "executable": held.executable,
        "rentEpoch": held.rent_epoch,
        "space": len(held.data),
        "data": said or _data(held.data[part] if part else held.data, encoding),
    }


def _data(data: bytes, encoding: str) -> list[str] | str:
    if encoding in ("", "base58"):
        if len(data) > _BASE58_LIMIT:
            raise RpcFault(INVALID_REQUEST, _TOO_LONG_FOR_BASE58)
        return [base58.encode(data), "base58"] if encoding else base58.encode(data)
    return [base58.to_base64(data), "base64"]


def version(transaction: VersionedTransaction) -> int | str:
    """Return ``"legacy"`` or the version's number."""
    found = transaction.version()
    return found if isinstance(found, int) else "legacy"


def transaction_json(raw: bytes, encoding: str, loaded: dict[str, list[str]]) -> Any:
    """Spell a transaction in ``json``, ``jsonParsed``, ``base64`` or ``base58``."""
    if encoding == "base64":
        return [base58.to_base64(raw), "base64"]
    if encoding in ("base58", "binary"):
        text = base58.encode(raw)
        return [text, "base58"] if encoding == "base58" else text
    transaction = VersionedTransaction.from_bytes(raw)
    message = transaction.message
    spelled = _parsed(message, loaded) if encoding == "jsonParsed" else _compiled(message)
    signatures = [str(signature) for signature in transaction.signatures]
    return {"signatures": signatures, "message": spelled}


def accounts_json(raw: bytes, loaded: dict[str, list[str]]) -> dict[str, Any]:
    """Spell only who signed and which accounts are named (``transactionDetails: accounts``)."""
    transaction = VersionedTransaction.from_bytes(raw)
    signatures = [str(signature) for signature in transaction.signatures]
    return {"signatures": signatures, "accountKeys": _account_keys(transaction.message, loaded)}


def parse_inner(meta: dict[str, Any], raw: bytes) -> list[dict[str, Any]]:
    """Spell a receipt's inner instructions as ``jsonParsed`` does."""
    message = VersionedTransaction.from_bytes(raw).message
    keys = _all_keys(message, meta["loadedAddresses"])
    return [
        {
            "index": group["index"],
            "instructions": [_reread(step, keys) for step in group["instructions"]],
        }
        for group in meta["innerInstructions"]
    ]


def _reread(step: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    program = Pubkey.from_string(keys[step["programIdIndex"]])
    accounts = [keys[index] for index in step["accounts"]]
    return parsed.instruction(program, accounts, base58.decode(step["data"]), step["stackHeight"])


def _compiled(message: AnyMessage) -> dict[str, Any]:
    header = message.header
    said = {
        "header": {
            "numRequiredSignatures": header.num_required_signatures,
            "numReadonlySignedAccounts": header.num_readonly_signed_accounts,
            "numReadonlyUnsignedAccounts": header.num_readonly_unsigned_accounts,
        },
        "accountKeys": [str(key) for key in message.account_keys],
        "recentBlockhash": str(message.recent_blockhash),
        "instructions": [instruction_json(call, call.accounts, 1) for call in message.instructions],
    }
    return said | _versioned(message)


def _parsed(message: AnyMessage, loaded: dict[str, list[str]]) -> dict[str, Any]:
    keys = _all_keys(message, loaded)
    said = {
        "accountKeys": _account_keys(message, loaded),
        "recentBlockhash": str(message.recent_blockhash),
        "instructions": [
            _reread(instruction_json(call, call.accounts, 1), keys) for call in message.instructions
        ],
    }
    return said | _versioned(message)


def _versioned(message: AnyMessage) -> dict[str, Any]:
    if isinstance(message, MessageV0):
        return {"addressTableLookups": [_lookup(table) for table in message.address_table_lookups]}
    if isinstance(message, MessageV1):
        config = message.config
        return {
            "transactionConfig": {
                "computeUnitLimit": config.compute_unit_limit,
                "heapSize": config.heap_size,
                "loadedAccountsDataSizeLimit": config.loaded_accounts_data_size_limit,
                "priorityFee": config.priority_fee,
            }
        }
    return {}


def _lookup(table: Any) -> dict[str, Any]:
    return {
        "accountKey": str(table.account_key),
        "writableIndexes": list(table.writable_indexes),
        "readonlyIndexes": list(table.readonly_indexes),
    }


def _account_keys(message: AnyMessage, loaded: dict[str, list[str]]) -> list[dict[str, Any]]:
    writable = set(static_writable(message))
    signers = message.header.num_required_signatures
    static = [
        (str(key), index < signers, key in writable, "transaction")
        for index, key in enumerate(message.account_keys)
    ]
    tables = [
        (key, False, kind == "writable", "lookupTable")
        for kind in ("writable", "readonly")
        for key in loaded[kind]
    ]
    names = ("pubkey", "signer", "writable", "source")
    return [dict(zip(names, row, strict=True)) for row in static + tables]


def _all_keys(message: AnyMessage, loaded: dict[str, list[str]]) -> list[str]:
    return [*(str(key) for key in message.account_keys), *loaded["writable"], *loaded["readonly"]]
