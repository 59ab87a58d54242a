"""What exists before the first block: the USDC mint and a rich wallet outside of Proton Pay."""

from solders.account import Account
from solders.pubkey import Pubkey
from solders.rent import Rent
from solders.token.state import Mint, TokenAccount, TokenAccountState

from protonpay.sandbox.solana.tokens import (
    ACCOUNT_SIZE,
    FREEZE_AUTHORITY,
    MINT_AUTHORITY,
    MINT_SIZE,
    OUTSIDE,
    SYSTEM_PROGRAM,
    TOKEN_PROGRAM,
    USDC_DECIMALS,
    ata,
)

# SIMD-0437, second step: 5,080 per byte at a threshold of one year.
_LAMPORTS_PER_BYTE = 5080
MAINNET_RENT = Rent(_LAMPORTS_PER_BYTE, 1, 50)
_OVERHEAD = 128
_LAMPORTS = 500_000_000 * 10**9
_SUPPLY_MICRO = 10_000_000_000 * 10**6


def rent_minimum(size: int) -> int:
    """Return the lamports an account of so many bytes must hold."""
    return (_OVERHEAD + size) * _LAMPORTS_PER_BYTE


def first_accounts(usdc: Pubkey) -> dict[Pubkey, Account]:
    """Return the mint at its mainnet address and the outside wallet with all of its supply."""
    outside = OUTSIDE.pubkey()
    mint = Mint(
        mint_authority=MINT_AUTHORITY.pubkey(),
        supply=_SUPPLY_MICRO,
        decimals=USDC_DECIMALS,
        is_initialized=True,
        freeze_authority=FREEZE_AUTHORITY.pubkey(),
    )
    purse = TokenAccount(
        mint=usdc,
        owner=outside,
        amount=_SUPPLY_MICRO,
        delegate=None,
        state=TokenAccountState.Initialized,
        is_native=None,
        delegated_amount=0,
        close_authority=None,
    )
    return {
        usdc: Account(rent_minimum(MINT_SIZE), bytes(mint), TOKEN_PROGRAM),
        ata(outside, usdc): Account(rent_minimum(ACCOUNT_SIZE), bytes(purse), TOKEN_PROGRAM),
        outside: Account(_LAMPORTS, b"", SYSTEM_PROGRAM),
    }
