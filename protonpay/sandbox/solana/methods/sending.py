"""Methods that take transactions: to send them, to try them, to price them."""

import base64
import binascii
from typing import Any

from solders.account import Account
from solders.message import MessageV1, from_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import SanitizeError, VersionedTransaction

from protonpay.sandbox.solana import base58, faucet
from protonpay.sandbox.solana.encoding import account_json
from protonpay.sandbox.solana.faults import (
    PREFLIGHT_FAILURE,
    SIGNATURE_FAILURE,
    RpcFault,
)
from protonpay.sandbox.solana.node import Node, in_context
from protonpay.sandbox.solana.params import Config, Params, invalid, read_pubkey
from protonpay.sandbox.solana.receipts import Verdict
from protonpay.sandbox.solana.slots import last_valid_height

_PACKET = 1232
_PACKET_V1 = 4096
_BASE58_TEXT = 1683
_WORDS = {
    "AccountNotFound": "Attempt to debit an account but found no record of a prior credit.",
    "AlreadyProcessed": "This transaction has already been processed",
    "BlockhashNotFound": "Blockhash not found",
    "InsufficientFundsForFee": "Insufficient funds for fee",
    "InvalidProgramForExecution": "This program may not be used for executing instructions",
}


def send_transaction(node: Node, params: Params) -> Any:
    """``sendTransaction``: the signature says that the bytes were taken, not that they landed."""
    config = params.config(1)
    transaction = read_transaction(params.text(0), config)
    if config.get("skipPreflight") is not True:
        _preflight(node, transaction, config)
    if node.drops:
        node.drops -= 1
    else:
        node.bank.submit(transaction)
    return str(transaction.signatures[0])


def simulate_transaction(node: Node, params: Params) -> Any:
    """``simulateTransaction``."""
    config = params.config(1)
    transaction = read_transaction(params.text(0), config)
    sigverify = config.get("sigVerify") is True
    replace = config.get("replaceRecentBlockhash") is True
    if sigverify and replace:
        raise invalid("sigVerify may not be used with replaceRecentBlockhash")
    if sigverify:
        _verify(transaction)
    slot = node.slot(config)
    refused = None if replace else node.bank.refusal(transaction, slot)
    verdict, changed = _try(node, transaction, slot, refused)
    value = _simulated(verdict) | {"accounts": _wanted_accounts(config, changed)}
    if replace:
        blockhash = str(node.bank.timeline.blockhash(slot))
        fresh = {"blockhash": blockhash, "lastValidBlockHeight": last_valid_height(slot)}
        value["replacementBlockhash"] = fresh
    if config.get("innerInstructions") is True:
        value["innerInstructions"] = verdict.inner
    return in_context(slot, value)


def get_fee_for_message(node: Node, params: Params) -> Any:
    """``getFeeForMessage``: null when its block hash is not good at this commitment."""
    config = params.config(1)
    slot = node.slot(config)
    try:
        message = from_bytes_versioned(_base64(params.text(0)))
    except ValueError:
        raise invalid("Invalid params: failed to deserialize the message") from None
    if not node.bank.is_recent(message.recent_blockhash, slot):
        return in_context(slot, None)
    unsigned = [Signature.default()] * message.header.num_required_signatures
    transaction = VersionedTransaction.populate(message, unsigned)
    verdict, _ = node.bank.simulate(transaction, slot, sigverify=False)
    return in_context(slot, verdict.fee)


def request_airdrop(node: Node, params: Params) -> Any:
    """``requestAirdrop``: out of the outside wallet."""
    return faucet.send_lamports(node.bank, params.pubkey(0), params.whole(1))


def read_transaction(text: str, config: Config) -> VersionedTransaction:
    """Read a wire transaction.

    Raises:
        RpcFault: it is not one, or too large.
    """
    encoding = config.get("encoding") or "base58"
    if encoding == "base64":
        raw = _base64(text)
    elif encoding == "base58":
        raw = _base58(text)
    else:
        raise invalid(f"unsupported encoding: {encoding}. Supported encodings: base58, base64")
    try:
        transaction = VersionedTransaction.from_bytes(raw)
        transaction.sanitize()
    except (ValueError, SanitizeError) as error:
        raise invalid(f"failed to deserialize VersionedTransaction: {error}") from None
    most = _PACKET_V1 if isinstance(transaction.message, MessageV1) else _PACKET
    if len(raw) > most:
        text = f"decoded VersionedTransaction too large: {len(raw)} bytes (max: {most} bytes)"
        raise invalid(text)
    if bytes(transaction) != raw:
        raise invalid("failed to deserialize VersionedTransaction: trailing bytes")
    return transaction


def _preflight(node: Node, transaction: VersionedTransaction, config: Config) -> None:
    _verify(transaction)
    slot = node.slot(config, "preflightCommitment")
    refused = node.bank.refusal(transaction, slot)
    verdict, _ = _try(node, transaction, slot, refused)
    if verdict.err is not None:
        text = f"Transaction simulation failed: {_in_words(verdict.err)}"
        raise RpcFault(PREFLIGHT_FAILURE, text, _simulated(verdict) | {"accounts": None})


def _try(
    node: Node, transaction: VersionedTransaction, slot: int, refused: str | None
) -> tuple[Verdict, dict[Pubkey, Account]]:
    if refused is not None:
        return Verdict(refused, [], 0, 0, [], None), {}
    return node.bank.simulate(transaction, slot, sigverify=False)


def _verify(transaction: VersionedTransaction) -> None:
    if not all(transaction.verify_with_results()):
        raise RpcFault(SIGNATURE_FAILURE, "Transaction signature verification failure")


def _simulated(verdict: Verdict) -> dict[str, Any]:
    return {
        "err": verdict.err,
        "logs": verdict.logs,
        "unitsConsumed": verdict.units,
        "returnData": verdict.return_data,
        "innerInstructions": None,
        "replacementBlockhash": None,
    }


def _wanted_accounts(config: Config, changed: dict[Pubkey, Account]) -> list[Any] | None:
    wanted = config.get("accounts")
    if not isinstance(wanted, dict):
        return None
    keys = [read_pubkey(key) for key in wanted.get("addresses", [])]
    return [account_json(changed.get(key), "base64", None, None) for key in keys]


def _in_words(err: Any) -> str:
    if isinstance(err, str):
        return _WORDS.get(err, err)
    if isinstance(err, dict) and "InstructionError" in err:
        index, why = err["InstructionError"]
        custom = why.get("Custom") if isinstance(why, dict) else None
        said = f"custom program error: {custom:#x}" if isinstance(custom, int) else str(why)
        return f"Error processing Instruction {index}: {said}"
    return str(err)


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise invalid("invalid base64 encoding") from None


def _base58(text: str) -> bytes:
    if len(text) > _BASE58_TEXT:
        raise invalid(f"base58 encoded VersionedTransaction too large: {len(text)} bytes")
    try:
        return base58.decode(text)
    except ValueError:
        raise invalid("invalid base58 encoding") from None


METHODS = {
    "sendTransaction": send_transaction,
    "simulateTransaction": simulate_transaction,
    "getFeeForMessage": get_fee_for_message,
    "requestAirdrop": request_airdrop,
}
