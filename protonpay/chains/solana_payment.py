"""Payments as a Solana transaction: pure, and readable again from its own bytes.

The instructions of each payment, in this order: the marker account, the payee's token account
(wallets only), the transfer. The marker's address is made from the gas wallet and the payout's
id, and an account can be created once: a second transaction for the same payout fails there,
as a whole, whatever its block hash. Only the gas wallet's signature can create it, so nobody
else can mark a payout as sent.

One payment is a v0 message with its compute budget in front; several are a v1 message
(SIMD-0385), which takes 4,096 bytes and carries the budget itself.
"""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0, MessageV1, TransactionConfig
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
_SEED_DIGITS = 32
# SystemInstruction::CreateAccountWithSeed, TokenInstruction::TransferChecked.
_CREATE_WITH_SEED = (3).to_bytes(4, "little")
_TRANSFER_CHECKED = b"\x0c"
_MOST_BYTES = 4096
_MOST_KEYS = 64
# Instructions, those that programs call included; a new token account calls four.
_MOST_STEPS = 64
_STEPS_OF_NEW_ACCOUNT = 5
_MOST_COMPUTE = 1_400_000
# Measured with p-token: 105 to transfer, 18,580 with the marker and a new token account.
_CU_TRANSFER = 10_000
_CU_WITH_ACCOUNT = 40_000
# Each address that the token account's derivation tries in vain costs the program this much.
_CU_PER_TRY = 1500
# A payment is looked at once for each that joins it in a transaction, and then signed.
_remembered = functools.lru_cache(maxsize=1024)


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
    """One payment that signed bytes will make, read from the bytes.

    Attributes:
        first: its first instruction in the transaction; ``last`` is its transfer.
        marker_step: the instruction that makes its marker.
    """

    marker: Pubkey
    payee: Pubkey
    micro: int
    first: int
    marker_step: int
    last: int

    def refusal(self, err: Any) -> str | None:
        """Return the stable name of an on-chain error for this payment; None if there is none.

        Args:
            err: the transaction's ``err`` as the RPC spells it.

        Returns:
            ``another_refused`` where it failed for another payment in the same transaction.
        """
        if err is None:
            return None
        if isinstance(err, dict) and isinstance(err.get("InstructionError"), list):
            step, why = err["InstructionError"]
            if not self.first <= step <= self.last:
                return ANOTHER
            return self._step_refusal(step, why.get("Custom") if isinstance(why, dict) else None)
        short = err == "InsufficientFundsForFee" or "InsufficientFundsForRent" in str(err)
        return "gas_short" if short else "refused_on_chain"

    def _step_refusal(self, step: int, custom: int | None) -> str:
        if step == self.marker_step and custom == 0:
            return "marker_taken"
        if step == self.last:
            # TokenError: InsufficientFunds, AccountFrozen.
            return {1: "treasury_short", 17: "account_frozen"}.get(custom or 0, "refused_on_chain")
        # SystemError::ResultWithNegativeLamports, where we pay for accounts.
        return "gas_short" if custom == 1 else "refused_on_chain"


ANOTHER = "another_refused"
"""A payment's reason when the whole transaction failed for another payment in it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What signed bytes will do, read from the bytes."""

    signature: str
    purse: Pubkey
    payments: tuple[Payment, ...]


@_remembered
def usdc_account(wallet: Pubkey, mint: Pubkey) -> Pubkey:
    """Return a wallet's associated token account."""
    return get_associated_token_address(wallet, mint)


def marker_address(gas: Pubkey, payout_id: str) -> Pubkey:
    """Return the account whose existence says that the payout was sent."""
    return Pubkey.create_with_seed(gas, _marker_seed(payout_id), SYSTEM_PROGRAM)


@_remembered
def compute_limit(payee: Pubkey, mint: Pubkey, *, ata_needed: bool) -> int:
    """Return the compute units to ask for; the priority fee is charged on all of them."""
    if not ata_needed:
        return _CU_TRANSFER
    seeds = [bytes(payee), bytes(TOKEN_PROGRAM), bytes(mint)]
    _, bump = Pubkey.find_program_address(seeds, _ASSOCIATED_TOKEN_PROGRAM)
    return _CU_WITH_ACCOUNT + _CU_PER_TRY * (255 - bump)


def compute_of(orders: Sequence[SendOrder], terms: Terms, mint: Pubkey) -> int:
    """Return the compute units to ask for together."""
    return sum(
        compute_limit(
            Pubkey.from_string(order.to), mint, ata_needed=is_to_wallet(order.payout_id, terms)
        )
        for order in orders
    )


def network_fee(orders: Sequence[SendOrder], terms: Terms, mint: Pubkey) -> int:
    """Return the fee in lamports that payments under these terms cost at most together."""
    return SIGNATURES * SIGNATURE_LAMPORTS + _priority_fee(compute_of(orders, terms, mint), terms)


def wallet_term(payout_id: str) -> str:
    """Name the term that tells whether a payee is a wallet (1) or a token account (0)."""
    return f"to_wallet:{payout_id}"


def is_to_wallet(payout_id: str, terms: Terms) -> bool:
    """Tell whether a payment goes to a wallet, whose token account may have to be made."""
    return bool(terms[wallet_term(payout_id)])


def fit_together(
    orders: Sequence[SendOrder], terms: Terms, wallets: Wallets, new_accounts: frozenset[str]
) -> bool:
    """Tell whether one transaction can make these payments.

    Args:
        orders: of different payees.
        terms: as they are being signed under.
        wallets: ours.
        new_accounts: the payouts whose payee's token account does not exist yet.
    """
    if len(orders) == 1:
        return True
    message = _message(orders, terms, wallets)
    called = sum(_STEPS_OF_NEW_ACCOUNT - 1 for order in orders if order.payout_id in new_accounts)
    return (
        len(message.instructions) + called <= _MOST_STEPS
        and len(message.account_keys) <= _MOST_KEYS
        and len(bytes(message)) + 1 + 64 * SIGNATURES <= _MOST_BYTES
        and compute_of(orders, terms, wallets.mint) <= _MOST_COMPUTE
    )


def sign_payments(
    orders: Sequence[SendOrder], terms: Terms, wallets: Wallets, keys: tuple[Keypair, Keypair]
) -> VersionedTransaction:
    """Build and sign: the same arguments give the same bytes (ed25519 is deterministic).

    Where the money goes is taken from the orders alone, never from the terms.
    """
    return VersionedTransaction(_message(orders, terms, wallets), keys)


def read_sent(raw: bytes) -> Sent:
    """Read what ``sign_payments`` made.

    Raises:
        ValueError: these bytes are not payments of ours.
    """
    transaction = VersionedTransaction.from_bytes(raw)
    keys, calls = transaction.message.account_keys, transaction.message.instructions
    payments: list[Payment] = []
    first, marker_step = 0, None
    for step, call in enumerate(calls):
        program = keys[call.program_id_index]
        if program == SYSTEM_PROGRAM and call.data[:4] == _CREATE_WITH_SEED:
            marker_step = step
        elif program == TOKEN_PROGRAM and call.data[:1] == _TRANSFER_CHECKED:
            if marker_step is None:
                raise ValueError("a transfer without a marker is no payment of ours")
            payments.append(
                Payment(
                    marker=keys[calls[marker_step].accounts[1]],
                    payee=keys[call.accounts[2]],
                    micro=int.from_bytes(call.data[1:9], "little"),
                    first=first,
                    marker_step=marker_step,
                    last=step,
                )
            )
            first, marker_step = step + 1, None
    if not payments:
        raise ValueError("not a payment of ours")
    purse = keys[calls[payments[0].last].accounts[0]]
    return Sent(str(transaction.signatures[0]), purse, tuple(payments))


def signature_of(raw: bytes) -> str:
    """Return the name that the network has for signed bytes.

    Raises:
        ValueError: these bytes are no transaction.
    """
    return str(VersionedTransaction.from_bytes(raw).signatures[0])


def _message(orders: Sequence[SendOrder], terms: Terms, wallets: Wallets) -> MessageV0 | MessageV1:
    blockhash = Hash.from_string(str(terms["blockhash"]))
    steps = [
        step
        for order in orders
        for step in _instructions(
            order,
            wallets,
            to_wallet=is_to_wallet(order.payout_id, terms),
            marker_lamports=int(terms["marker_lamports"]),
        )
    ]
    units = compute_of(orders, terms, wallets.mint)
    if len(orders) > 1:
        config = TransactionConfig(
            priority_fee=_priority_fee(units, terms), compute_unit_limit=units
        )
        return MessageV1.try_compile(wallets.gas, steps, blockhash, config)
    budget = [
        set_compute_unit_limit(units),
        set_compute_unit_price(int(terms["cu_price_micro_lamports"])),
    ]
    return MessageV0.try_compile(wallets.gas, [*budget, *steps], [], blockhash)


def _priority_fee(units: int, terms: Terms) -> int:
    return -(-units * int(terms["cu_price_micro_lamports"]) // 1_000_000)


@_remembered
def _instructions(
    order: SendOrder, wallets: Wallets, *, to_wallet: bool, marker_lamports: int
) -> tuple[Instruction, ...]:
    to = Pubkey.from_string(order.to)
    account, steps = to, list[Instruction]()
    if to_wallet:
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
    mark = _mark(order.payout_id, wallets.gas, marker_lamports)
    return mark, *steps, transfer_checked(params)


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
