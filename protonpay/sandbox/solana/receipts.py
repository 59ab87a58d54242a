"""What a transaction did, as a block's metadata says it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solders.account import Account
from solders.message import Message, MessageV0, MessageV1
from solders.pubkey import Pubkey
from solders.transaction_metadata import (
    FailedTransactionMetadata,
    SimulatedTransactionInfo,
    TransactionMetadata,
)

from protonpay.sandbox.solana import base58
from protonpay.sandbox.solana.tokens import mint_decimals, read_token, ui_amount

AnyMessage = Message | MessageV0 | MessageV1
Accounts = Mapping[Pubkey, Account | None]


@dataclass(frozen=True, slots=True)
class Keys:
    """The accounts a transaction names, in the order its indexes count them."""

    static: list[Pubkey]
    loaded_writable: list[Pubkey]
    loaded_readonly: list[Pubkey]
    writable: frozenset[Pubkey]

    @property
    def all(self) -> list[Pubkey]:
        """Static keys, then those from lookup tables: writable ones first."""
        return [*self.static, *self.loaded_writable, *self.loaded_readonly]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The machine's answer to one transaction, run or simulated."""

    err: Any
    logs: list[str]
    units: int
    fee: int
    inner: list[dict[str, Any]]
    return_data: dict[str, Any] | None

    @classmethod
    def read(
        cls, result: TransactionMetadata | FailedTransactionMetadata | SimulatedTransactionInfo
    ) -> "Verdict":
        """Take over the machine's own form of it."""
        meta = result if isinstance(result, TransactionMetadata) else result.meta()
        err = None
        if isinstance(result, FailedTransactionMetadata):
            err = json.loads(result.to_json())["err"]
        returned = meta.return_data()
        return cls(
            err=err,
            logs=meta.logs(),
            units=meta.compute_units_consumed(),
            fee=meta.fee(),
            inner=_inner(meta),
            return_data=_return_data(returned.program_id, returned.data),
        )


def static_writable(message: AnyMessage) -> list[Pubkey]:
    """Return the keys of the message itself that it may change."""
    keys, header = message.account_keys, message.header
    signed = header.num_required_signatures - header.num_readonly_signed_accounts
    unsigned = len(keys) - header.num_readonly_unsigned_accounts
    return [
        key
        for index, key in enumerate(keys)
        if index < signed or header.num_required_signatures <= index < unsigned
    ]


def receipt(
    verdict: Verdict, keys: Keys, before: Accounts, after: Accounts, mints: Accounts
) -> dict[str, Any]:
    """Return the ``meta`` of ``getTransaction`` in the encoding ``json``."""
    found = {
        "err": verdict.err,
        "status": {"Ok": None} if verdict.err is None else {"Err": verdict.err},
        "fee": verdict.fee,
        "preBalances": _lamports(keys, before),
        "postBalances": _lamports(keys, after),
        "preTokenBalances": token_balances(keys, before, mints),
        "postTokenBalances": token_balances(keys, after, mints),
        "innerInstructions": verdict.inner,
        "logMessages": verdict.logs,
        "rewards": [],
        "loadedAddresses": {
            "writable": [str(key) for key in keys.loaded_writable],
            "readonly": [str(key) for key in keys.loaded_readonly],
        },
        "computeUnitsConsumed": verdict.units,
    }
    return found | ({"returnData": verdict.return_data} if verdict.return_data else {})


def token_balances(keys: Keys, accounts: Accounts, mints: Accounts) -> list[dict[str, Any]]:
    """Return the token balances among a transaction's accounts."""
    found = []
    for index, key in enumerate(keys.all):
        account = accounts.get(key)
        token = read_token(account)
        if account is not None and token is not None:
            amount = ui_amount(token.amount, mint_decimals(mints.get(token.mint)))
            found.append(
                {
                    "accountIndex": index,
                    "mint": str(token.mint),
                    "owner": str(token.owner),
                    "programId": str(account.owner),
                    "uiTokenAmount": amount,
                }
            )
    return found


def _lamports(keys: Keys, accounts: Accounts) -> list[int]:
    held = (accounts.get(key) for key in keys.all)
    return [account.lamports if account else 0 for account in held]


def _inner(meta: TransactionMetadata) -> list[dict[str, Any]]:
    return [
        {"index": index, "instructions": [_inner_one(step) for step in steps]}
        for index, steps in enumerate(meta.inner_instructions())
        if steps
    ]


def _inner_one(step: Any) -> dict[str, Any]:
    call = step.instruction()
    return instruction_json(call, call.accounts, step.stack_height())


def instruction_json(
    call: Any, accounts: Sequence[int], stack_height: int | None
) -> dict[str, Any]:
    """Spell a compiled instruction."""
    return {
        "programIdIndex": call.program_id_index,
        "accounts": list(accounts),
        "data": base58.encode(call.data),
        "stackHeight": stack_height,
    }


def _return_data(program: Pubkey, data: bytes) -> dict[str, Any] | None:
    if not data:
        return None
    return {"programId": str(program), "data": [base58.to_base64(data), "base64"]}
