"""SPL tokens as bytes: the accounts' layout and the few instructions the node itself sends."""

import hashlib
from dataclasses import dataclass
from typing import Any

from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address

SYSTEM_PROGRAM = Pubkey.default()
TOKEN_PROGRAM = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
ASSOCIATED_TOKEN_PROGRAM = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
MEMO_PROGRAM = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
TOKEN_2022_PROGRAM = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
MINT_SIZE = 82
ACCOUNT_SIZE = 165
USDC_DECIMALS = 6
FROZEN = 2
STATES = ("uninitialized", "initialized", "frozen")


def known_key(name: str) -> Keypair:
    """Return a key of the sandbox that everybody may know."""
    return Keypair.from_seed(hashlib.sha256(f"proton pay sandbox: {name}".encode()).digest())


OUTSIDE = known_key("outside wallet")
MINT_AUTHORITY = known_key("mint authority")
FREEZE_AUTHORITY = known_key("freeze authority")


@dataclass(frozen=True, slots=True)
class TokenBalance:
    """What a token account says of itself."""

    mint: Pubkey
    owner: Pubkey
    amount: int
    state: int


def read_token(account: Account | None) -> TokenBalance | None:
    """Read a token account; None when it is something else."""
    if account is None or account.owner != TOKEN_PROGRAM:
        return None
    data = account.data
    if len(data) != ACCOUNT_SIZE or data[108] == 0:
        return None
    amount = int.from_bytes(data[64:72], "little")
    return TokenBalance(Pubkey(data[:32]), Pubkey(data[32:64]), amount, data[108])


def is_mint(account: Account | None) -> bool:
    """Tell whether this is a mint of the token program."""
    return account is not None and account.owner == TOKEN_PROGRAM and len(account.data) == MINT_SIZE


def mint_decimals(account: Account | None) -> int:
    """Return the decimals of a mint, 0 when there is none."""
    return account.data[44] if account is not None and is_mint(account) else 0


def mint_supply(account: Account) -> int:
    """Return how many smallest units of a mint exist."""
    return int.from_bytes(account.data[36:44], "little")


def ui_amount(amount: int, decimals: int) -> dict[str, Any]:
    """Spell an amount as the RPC does.

    ``uiAmount`` is a float there, deprecated and nullable; it is null here, so that
    nobody comes to depend on it.
    """
    whole, fraction = divmod(amount, 10**decimals)
    text = f"{whole}.{fraction:0{decimals}d}".rstrip("0").rstrip(".") if decimals else str(whole)
    return {"amount": str(amount), "decimals": decimals, "uiAmount": None, "uiAmountString": text}


def ata(owner: Pubkey, mint: Pubkey) -> Pubkey:
    """Return an owner's associated token account."""
    return get_associated_token_address(owner, mint)


def create_ata(payer: Pubkey, owner: Pubkey, mint: Pubkey) -> Instruction:
    """Create an associated token account unless it exists."""
    accounts = [
        AccountMeta(payer, is_signer=True, is_writable=True),
        AccountMeta(ata(owner, mint), is_signer=False, is_writable=True),
        _reads(owner),
        _reads(mint),
        _reads(SYSTEM_PROGRAM),
        _reads(TOKEN_PROGRAM),
    ]
    return Instruction(ASSOCIATED_TOKEN_PROGRAM, b"\x01", accounts)


def transfer_checked(owner: Pubkey, to: Pubkey, mint: Pubkey, amount: int) -> Instruction:
    """Move tokens from an owner's associated account to a token account."""
    accounts = [
        AccountMeta(ata(owner, mint), is_signer=False, is_writable=True),
        _reads(mint),
        AccountMeta(to, is_signer=False, is_writable=True),
        AccountMeta(owner, is_signer=True, is_writable=False),
    ]
    data = b"\x0c" + amount.to_bytes(8, "little") + bytes([USDC_DECIMALS])
    return Instruction(TOKEN_PROGRAM, data, accounts)


def set_frozen(account: Pubkey, mint: Pubkey, *, frozen: bool) -> Instruction:
    """Freeze or thaw a token account."""
    accounts = [
        AccountMeta(account, is_signer=False, is_writable=True),
        _reads(mint),
        AccountMeta(FREEZE_AUTHORITY.pubkey(), is_signer=True, is_writable=False),
    ]
    return Instruction(TOKEN_PROGRAM, b"\x0a" if frozen else b"\x0b", accounts)


def memo(text: str) -> Instruction:
    """Say something, and make an otherwise equal transaction another one."""
    return Instruction(MEMO_PROGRAM, text.encode(), [])


def _reads(key: Pubkey) -> AccountMeta:
    return AccountMeta(key, is_signer=False, is_writable=False)
