"""One payment as a Solana transaction: pure, and readable again from its own bytes.

The instructions, in this order: compute limit, compute price, the marker account, the
payee's token account (wallets only), the transfer. The marker's address is made from the
gas wallet and the payout's id, and an account can be created once: a second transaction
for the same payout fails there, as a whole, whatever its block hash. Only the gas
wallet's signature can create it, so nobody else can mark a payout as sent.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountWithSeedParams, create_account_with_seed
from solders.token.associated import get_associated_token_address
from solders.transaction import VersionedTransaction
from spl.token.constants import ASSOCIATED_TOKEN_PROGRAM_ID, TOKEN_PROGRAM_ID
from spl.token.instructions import create_idempotent_associated_token_account, transfer_checked
from spl.token.models import TransferCheckedParams

from protonpay.chains.port import SendOrder, Terms

SYSTEM_PROGRAM = Pubkey.default()
_ASSOCIATED_TOKEN_PROGRAM: Pubkey = ASSOCIATED_TOKEN_PROGRAM_ID
TOKEN_PROGRAM: Pubkey = TOKEN_PROGRAM_ID
SIGNATURE_LAMPORTS = 5000
SIGNATURES = 2
_DECIMALS = 6
_MARKER_STEP = 2
_SEED_DIGITS = 32
# Measured with p-token: 105 to transfer, 18,580 with the marker and a new token account.
_CU_TRANSFER = 10_000
_CU_WITH_ACCOUNT = 40_000
# Each address that the token account's derivation tries in vain costs the program this much.
_CU_PER_TRY = 1500


@dataclass(frozen=True, slots=True)
class Wallets:
    """The accounts on our side of every payment."""

    gas: Pubkey
    treasury: Pubkey
    mint: Pubkey

    @property
    def purse(self) -> Pubkey:
        """The treasury's USDC account."""
        return usdc_account(self.treasury, self.mint)


@dataclass(frozen=True, slots=True)
class Payment:
    """What signed bytes will do, read from the bytes."""

    signature: str
    marker: Pubkey
    purse: Pubkey
    payee: Pubkey
    micro: int
    steps: int

    def refusal(self, err: Any) -> str | None:
        """Return the stable name of an on-chain error, or None when there is none.

        Args:
            err: the transaction's ``err`` as the RPC spells it.
        """
        if err is None:
            return None
        if isinstance(err, dict) and isinstance(err.get("InstructionError"), list):
            step, why = err["InstructionError"]
            return self._step_refusal(step, why.get("Custom") if isinstance(why, dict) else None)
        short = err == "InsufficientFundsForFee" or "InsufficientFundsForRent" in str(err)
        return "gas_short" if short else "refused_on_chain"

    def _step_refusal(self, step: int, custom: int | None) -> str:
        if step == _MARKER_STEP and custom == 0:
            return "marker_taken"
        if step == self.steps - 1:
            # TokenError: InsufficientFunds, AccountFrozen.
            return {1: "treasury_short", 17: "account_frozen"}.get(custom or 0, "refused_on_chain")
        # SystemError::ResultWithNegativeLamports, where we pay for accounts.
        return "gas_short" if custom == 1 else "refused_on_chain"


def usdc_account(wallet: Pubkey, mint: Pubkey) -> Pubkey:
    """Return a wallet's associated token account."""
    return get_associated_token_address(wallet, mint)


def marker_address(gas: Pubkey, payout_id: str) -> Pubkey:
    """Return the account whose existence says that the payout was sent."""
    return Pubkey.create_with_seed(gas, _marker_seed(payout_id), SYSTEM_PROGRAM)


def compute_limit(payee: Pubkey, mint: Pubkey, *, ata_needed: bool) -> int:
    """Return the compute units to ask for; the priority fee is charged on all of them."""
    if not ata_needed:
        return _CU_TRANSFER
    seeds = [bytes(payee), bytes(TOKEN_PROGRAM), bytes(mint)]
    _, bump = Pubkey.find_program_address(seeds, _ASSOCIATED_TOKEN_PROGRAM)
    return _CU_WITH_ACCOUNT + _CU_PER_TRY * (255 - bump)


def network_fee(terms: Terms) -> int:
    """Return the fee in lamports that a payment under these terms costs at most."""
    priority = int(terms["cu_limit"]) * int(terms["cu_price_micro_lamports"])
    return SIGNATURES * SIGNATURE_LAMPORTS + -(-priority // 1_000_000)


def sign_payment(
    order: SendOrder, terms: Terms, wallets: Wallets, keys: tuple[Keypair, Keypair]
) -> VersionedTransaction:
    """Build and sign: the same arguments give the same bytes (ed25519 is deterministic).

    Where the money goes is taken from the order alone, never from the terms.
    """
    blockhash = Hash.from_string(str(terms["blockhash"]))
    steps = _instructions(order, terms, wallets)
    message = MessageV0.try_compile(wallets.gas, steps, [], blockhash)
    return VersionedTransaction(message, keys)


def read_payment(raw: bytes) -> Payment:
    """Read what ``sign_payment`` made.

    Raises:
        ValueError: these bytes are not one of our payments.
    """
    transaction = VersionedTransaction.from_bytes(raw)
    keys, calls = transaction.message.account_keys, transaction.message.instructions
    if len(calls) <= _MARKER_STEP + 1:
        raise ValueError("not a payment of ours")
    marker, transfer = calls[_MARKER_STEP], calls[-1]
    return Payment(
        signature=str(transaction.signatures[0]),
        marker=keys[marker.accounts[1]],
        purse=keys[transfer.accounts[0]],
        payee=keys[transfer.accounts[2]],
        micro=int.from_bytes(transfer.data[1:9], "little"),
        steps=len(calls),
    )


def _instructions(order: SendOrder, terms: Terms, wallets: Wallets) -> list[Instruction]:
    to = Pubkey.from_string(order.to)
    account, steps = to, []
    if terms["ata_needed"]:
        account = usdc_account(to, wallets.mint)
        # Idempotent, and also when it exists: its owner may close it before this lands.
        make = create_idempotent_associated_token_account(wallets.gas, to, wallets.mint)
        steps = [make]
    params = TransferCheckedParams(
        program_id=TOKEN_PROGRAM,
        source=wallets.purse,
        mint=wallets.mint,
        dest=account,
        owner=wallets.treasury,
        amount=order.amount.micro,
        decimals=_DECIMALS,
    )
    return [
        set_compute_unit_limit(int(terms["cu_limit"])),
        set_compute_unit_price(int(terms["cu_price_micro_lamports"])),
        _mark(order.payout_id, wallets.gas, int(terms["marker_lamports"])),
        *steps,
        transfer_checked(params),
    ]


def _mark(payout_id: str, gas: Pubkey, lamports: int) -> Instruction:
    params = CreateAccountWithSeedParams(
        from_pubkey=gas,
        to_pubkey=marker_address(gas, payout_id),
        base=gas,
        seed=_marker_seed(payout_id),
        lamports=lamports,
        space=0,
        owner=SYSTEM_PROGRAM,
    )
    return create_account_with_seed(params)


def _marker_seed(payout_id: str) -> str:
    return hashlib.sha256(payout_id.encode()).hexdigest()[:_SEED_DIGITS]
