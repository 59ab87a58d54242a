"""Methods that read accounts."""

from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from protonpay.sandbox.solana.encoding import account_json
from protonpay.sandbox.solana.genesis import rent_minimum
from protonpay.sandbox.solana.node import Node, in_context
from protonpay.sandbox.solana.params import Config, Params, invalid, read_pubkey
from protonpay.sandbox.solana.tokens import (
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    is_mint,
    mint_decimals,
    mint_supply,
    read_token,
    ui_amount,
)

_MOST_ACCOUNTS = 100
_LARGEST_ACCOUNT = 10 * 1024 * 1024


def get_balance(node: Node, params: Params) -> Any:
    """``getBalance``."""
    slot = node.slot(params.config(1))
    held = node.bank.account(params.pubkey(0), slot)
    return in_context(slot, held.lamports if held else 0)


def get_account_info(node: Node, params: Params) -> Any:
    """``getAccountInfo``."""
    config = params.config(1)
    slot = node.slot(config)
    held = node.bank.account(params.pubkey(0), slot)
    return in_context(slot, _spell(node, held, config, slot, ""))


def get_multiple_accounts(node: Node, params: Params) -> Any:
    """``getMultipleAccounts``."""
    config = params.config(1)
    slot = node.slot(config)
    held = [node.bank.account(key, slot) for key in params.pubkeys(0, _MOST_ACCOUNTS)]
    return in_context(slot, [_spell(node, one, config, slot, "base64") for one in held])


def get_token_account_balance(node: Node, params: Params) -> Any:
    """``getTokenAccountBalance``."""
    slot = node.slot(params.config(1))
    held = node.bank.account(params.pubkey(0), slot)
    if held is None:
        raise invalid("Invalid param: could not find account")
    token = read_token(held)
    if token is None:
        raise invalid("Invalid param: not a Token account")
    mint = node.bank.account(token.mint, slot)
    return in_context(slot, ui_amount(token.amount, mint_decimals(mint)))


def get_token_supply(node: Node, params: Params) -> Any:
    """``getTokenSupply``."""
    slot = node.slot(params.config(1))
    mint = node.bank.account(params.pubkey(0), slot)
    if mint is None or not is_mint(mint):
        raise invalid("Invalid param: not a Token mint")
    return in_context(slot, ui_amount(mint_supply(mint), mint_decimals(mint)))


def get_token_accounts_by_owner(node: Node, params: Params) -> Any:
    """``getTokenAccountsByOwner``."""
    owner, mint, config = params.pubkey(0), _token_filter(node, params.get(1)), params.config(2)
    slot = node.slot(config)
    found = []
    for key, held in node.bank.token_accounts(slot):
        token = read_token(held)
        if token and token.owner == owner and mint in (None, token.mint):
            found.append({"pubkey": str(key), "account": _spell(node, held, config, slot, "")})
    return in_context(slot, found)


def get_minimum_balance_for_rent_exemption(_: Node, params: Params) -> Any:
    """``getMinimumBalanceForRentExemption``."""
    size = params.whole(0)
    if size > _LARGEST_ACCOUNT:
        raise invalid("Invalid params: larger than any account.")
    return rent_minimum(size)


def _spell(node: Node, held: Account | None, config: Config, slot: int, default: str) -> Any:
    token = read_token(held)
    mint = node.bank.account(token.mint, slot) if token else None
    return account_json(held, config.encoding(default), config.part(), mint)


def _token_filter(node: Node, value: Any) -> Pubkey | None:
    given = value if isinstance(value, dict) else {}
    if "mint" in given:
        mint = read_pubkey(given["mint"])
        if not is_mint(node.bank.account(mint, node.bank.slot())):
            raise invalid("Invalid param: could not find mint")
        return mint
    program = read_pubkey(given.get("programId"))
    if program == TOKEN_2022_PROGRAM:
        return program  # nothing of that program exists here, so nothing has it as its mint
    if program != TOKEN_PROGRAM:
        raise invalid("Invalid param: unrecognized Token program id")
    return None


METHODS = {
    "getBalance": get_balance,
    "getAccountInfo": get_account_info,
    "getMultipleAccounts": get_multiple_accounts,
    "getTokenAccountBalance": get_token_account_balance,
    "getTokenSupply": get_token_supply,
    "getTokenAccountsByOwner": get_token_accounts_by_owner,
    "getMinimumBalanceForRentExemption": get_minimum_balance_for_rent_exemption,
}
