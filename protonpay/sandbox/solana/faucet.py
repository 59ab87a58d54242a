"""The world outside of Proton Pay: a rich wallet, and Circle's hand on the freeze authority."""

import secrets
from collections.abc import Sequence

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from protonpay.sandbox.solana import tokens
from protonpay.sandbox.solana.bank import CONFIRMED, Bank
from protonpay.sandbox.solana.faults import PREFLIGHT_FAILURE, RpcFault
from protonpay.sandbox.solana.tokens import FREEZE_AUTHORITY, OUTSIDE, read_token


def send_lamports(bank: Bank, to: Pubkey, lamports: int) -> str:
    """Send SOL and return the signature."""
    outside = OUTSIDE.pubkey()
    call = transfer(TransferParams(from_pubkey=outside, to_pubkey=to, lamports=lamports))
    return _send(bank, [call], [OUTSIDE])


def send_usdc(bank: Bank, owner: Pubkey, micro: int) -> str:
    """Send USDC to a wallet, making its token account if need be, and return the signature."""
    outside, to = OUTSIDE.pubkey(), tokens.ata(owner, bank.usdc)
    make = tokens.create_ata(outside, owner, bank.usdc)
    pay = tokens.transfer_checked(outside, to, bank.usdc, micro)
    return _send(bank, [make, pay], [OUTSIDE])


def set_frozen(bank: Bank, owner: Pubkey, *, frozen: bool) -> str:
    """Freeze or thaw a wallet's token account, or a token account given by its own address."""
    account, calls = owner, []
    if read_token(bank.account(owner, bank.slot())) is None:
        account = tokens.ata(owner, bank.usdc)
        calls = [tokens.create_ata(OUTSIDE.pubkey(), owner, bank.usdc)]
    calls.append(tokens.set_frozen(account, bank.usdc, frozen=frozen))
    return _send(bank, calls, [OUTSIDE, FREEZE_AUTHORITY])


def _send(bank: Bank, calls: Sequence[Instruction], signers: Sequence[Keypair]) -> str:
    blockhash = bank.timeline.blockhash(bank.slot(CONFIRMED))
    # Two equal payments in one slot would otherwise be one transaction.
    different = tokens.memo(f"sandbox {secrets.token_hex(8)}")
    payer = OUTSIDE.pubkey()
    message = MessageV0.try_compile(payer, [*calls, different], [], blockhash)
    transaction = VersionedTransaction(message, list(signers))
    verdict = bank.submit(transaction)
    if verdict is None or verdict.err is not None:
        why = "it is in no block" if verdict is None else str(verdict.err)
        raise RpcFault(PREFLIGHT_FAILURE, f"The outside wallet could not do it: {why}")
    return str(transaction.signatures[0])
