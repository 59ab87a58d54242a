"""The encoding ``jsonParsed``: instructions and accounts that the RPC can put into words."""

from collections.abc import Callable
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from protonpay.sandbox.solana import base58
from protonpay.sandbox.solana.tokens import (
    ASSOCIATED_TOKEN_PROGRAM,
    MEMO_PROGRAM,
    STATES,
    SYSTEM_PROGRAM,
    TOKEN_PROGRAM,
    is_mint,
    mint_decimals,
    mint_supply,
    read_token,
    ui_amount,
)

Parsed = dict[str, Any]
_TOKEN_CALLS: dict[int, tuple[str, tuple[str, ...]]] = {
    3: ("transfer", ("source", "destination", "authority")),
    7: ("mintTo", ("mint", "account", "mintAuthority")),
    8: ("burn", ("account", "mint", "authority")),
    9: ("closeAccount", ("account", "destination", "owner")),
    10: ("freezeAccount", ("account", "mint", "freezeAuthority")),
    11: ("thawAccount", ("account", "mint", "freezeAuthority")),
    12: ("transferChecked", ("source", "mint", "destination", "authority")),
    18: ("initializeAccount3", ("account", "mint")),
    21: ("getAccountDataSize", ("mint",)),
    22: ("initializeImmutableOwner", ("account",)),
}
_WITH_AMOUNT = (3, 7, 8)
_ATA_ACCOUNTS = ("source", "account", "wallet", "mint", "systemProgram", "tokenProgram")


def instruction(program: Pubkey, accounts: list[str], data: bytes, depth: int | None) -> Parsed:
    """Spell an instruction: parsed where the program is known, its bytes where not."""
    known = _PROGRAMS.get(program)
    parsed = known[1](accounts, data) if known else None
    if known is None or parsed is None:
        raw = base58.encode(data)
        said: Parsed = {"programId": str(program), "accounts": accounts, "data": raw}
    else:
        said = {"program": known[0], "programId": str(program), "parsed": parsed}
    return {**said, "stackHeight": depth}


def account(held: Account, mint: Account | None) -> Parsed | None:
    """Spell a token account or a mint; None for everything else."""
    token = read_token(held)
    if token is not None:
        info: Parsed = {
            "isNative": False,
            "mint": str(token.mint),
            "owner": str(token.owner),
            "state": STATES[token.state],
            "tokenAmount": ui_amount(token.amount, mint_decimals(mint)),
        }
        kind = "account"
    elif is_mint(held):
        kind, info = "mint", _mint_info(held)
    else:
        return None
    parsed = {"type": kind, "info": info}
    return {"program": "spl-token", "parsed": parsed, "space": len(held.data)}


def _mint_info(held: Account) -> Parsed:
    data = held.data
    return {
        "decimals": mint_decimals(held),
        "freezeAuthority": str(Pubkey(data[50:82])) if data[46] else None,
        "isInitialized": bool(data[45]),
        "mintAuthority": str(Pubkey(data[4:36])) if data[0] else None,
        "supply": str(mint_supply(held)),
    }


def _token(accounts: list[str], data: bytes) -> Parsed | None:
    if not data or data[0] not in _TOKEN_CALLS:
        return None
    kind, names = _TOKEN_CALLS[data[0]]
    info: Parsed = dict(zip(names, accounts, strict=False))
    if data[0] in _WITH_AMOUNT and len(data) == 9:  # noqa: PLR2004 - tag and u64
        info["amount"] = str(int.from_bytes(data[1:9], "little"))
    elif data[0] == 12 and len(data) == 10:  # noqa: PLR2004 - transferChecked: tag, u64, decimals
        info["tokenAmount"] = ui_amount(int.from_bytes(data[1:9], "little"), data[9])
    elif data[0] == 18 and len(data) == 33:  # noqa: PLR2004 - initializeAccount3: tag and owner
        info["owner"] = str(Pubkey(data[1:33]))
    return {"type": kind, "info": info}


def _associated(accounts: list[str], data: bytes) -> Parsed | None:
    kind = {b"": "create", b"\0": "create", b"\x01": "createIdempotent"}.get(data)
    if kind is None:
        return None
    return {"type": kind, "info": dict(zip(_ATA_ACCOUNTS, accounts, strict=False))}


def _system(accounts: list[str], data: bytes) -> Parsed | None:
    tag = int.from_bytes(data[:4], "little")
    if len(data) < 4 or len(accounts) < 2:  # noqa: PLR2004 - a tag, two accounts
        return None
    if tag == 0:
        info = {"source": accounts[0], "newAccount": accounts[1], **_new_account(data[4:])}
        return {"type": "createAccount", "info": info}
    if tag == 2:  # noqa: PLR2004 - SystemInstruction::Transfer
        lamports = int.from_bytes(data[4:12], "little")
        info = {"source": accounts[0], "destination": accounts[1], "lamports": lamports}
        return {"type": "transfer", "info": info}
    return _system_with_seed(accounts, data) if tag == 3 else None  # noqa: PLR2004 - CreateAccountWithSeed


def _system_with_seed(accounts: list[str], data: bytes) -> Parsed:
    length = int.from_bytes(data[36:44], "little")
    seed, rest = data[44 : 44 + length], data[44 + length :]
    info = {
        "source": accounts[0],
        "newAccount": accounts[1],
        "base": str(Pubkey(data[4:36])),
        "seed": seed.decode("utf-8", "replace"),
        **_new_account(rest),
    }
    return {"type": "createAccountWithSeed", "info": info}


def _new_account(data: bytes) -> Parsed:
    return {
        "lamports": int.from_bytes(data[:8], "little"),
        "space": int.from_bytes(data[8:16], "little"),
        "owner": str(Pubkey(data[16:48])),
    }


def _memo(_: list[str], data: bytes) -> Any:
    return data.decode("utf-8", "replace")


_PROGRAMS: dict[Pubkey, tuple[str, Callable[[list[str], bytes], Any]]] = {
    TOKEN_PROGRAM: ("spl-token", _token),
    ASSOCIATED_TOKEN_PROGRAM: ("spl-associated-token-account", _associated),
    SYSTEM_PROGRAM: ("system", _system),
    MEMO_PROGRAM: ("spl-memo", _memo),
}
