"""Sweeps on Solana: the sweeper pays and signs first, every deposit wallet signs its transfer.

One transaction stands or falls as a whole. No marker account guards it, as one guards a
payout: the money only changes between two wallets of ours, and rent for a marker would cost
more than a hundred sweeps. What keeps a sweep single is the proof that signed bytes are dead,
before new ones are signed for it: the node's final height is past their last valid one, and
then it knows neither status nor transaction. A node that lags can only make us wait.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from spl.token.instructions import transfer_checked
from spl.token.models import TransferCheckedParams

from protonpay.chains.keyring import SOLANA, Keyring, PublicAddresses
from protonpay.chains.port import Network, NotReady, SendState, Terms
from protonpay.chains.solana_answers import (
    FINAL_TRANSACTION,
    Call,
    HeldAccount,
    ask,
    broadcast,
    read_account,
    read_final_point,
    read_holding,
    reading,
    token_change,
)
from protonpay.chains.solana_payment import SIGNATURE_LAMPORTS, TOKEN_PROGRAM, usdc_account
from protonpay.chains.sweep import (
    Holding,
    KeyDiffers,
    Moved,
    SignedSweeps,
    SweepItem,
    SweepsOutcome,
)
from protonpay.kernel.money import Usdc
from protonpay.wire.jsonrpc import JsonRpc

log = structlog.get_logger(__name__)

MOST = 6
"""Sweeps that fit into a packet of 1,232 bytes: 284 and 145 for each."""
_CONFIRMED = {"commitment": "confirmed"}
_FINAL = {"commitment": "finalized"}
_HISTORY = {"searchTransactionHistory": True}
_AT_ONCE = 100
_DECIMALS = 6
# p-token takes 105 for a transfer, the token program before it took 6,200.
_CU_EACH = 10_000
_DEFAULT_PRICE_CAP = 1_000_000


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look at the node told.

    Attributes:
        prices: micro-lamports per compute unit paid lately around the treasury, ascending.
        rent: the lamports an account without data must hold.
    """

    blockhash: str
    last_valid: int
    gas: HeldAccount | None
    purse: HeldAccount | None
    prices: list[int]
    rent: int


class SolanaSweeper:
    """Solana through one node (``chains.sweep.Sweeper``)."""

    most = MOST

    def __init__(
        self, network: Network, rpc: JsonRpc, addresses: PublicAddresses, keyring: Keyring | None
    ) -> None:
        self.network = network
        self.treasury = addresses.treasury[SOLANA]
        self.sender = addresses.sweeper[SOLANA]
        self._rpc = rpc
        self._mint = Pubkey.from_string(network.usdc)
        self._purse = usdc_account(Pubkey.from_string(self.treasury), self._mint)
        self._keyring = keyring
        if keyring is not None:
            _check_keys(keyring, [self.treasury, self.sender])

    def holdings(self, addresses: Sequence[str]) -> Mapping[str, Holding]:
        """Return what each wallet has at the final slot, and whether its account is frozen.

        Raises:
            NoAnswer: unknown; ask again.
        """
        found: dict[str, Holding] = {}
        for start in range(0, len(addresses), _AT_ONCE):
            part = addresses[start : start + _AT_ONCE]
            accounts = [str(self._account(at)) for at in part]
            options = _FINAL | {"encoding": "base64"}
            (told,) = ask(self._rpc, [("getMultipleAccounts", [accounts, options])])
            with reading():
                held = [read_holding(read_account(one)) for one in told["value"]]
                for at, one in zip(part, held, strict=True):
                    ours = one is not None and str(one.owner) == at and one.mint == self._mint
                    has = one.micro if one is not None and ours else 0
                    found[at] = Holding(Usdc(has), blocked=one is not None and one.frozen)
        return found

    def read_terms(self, count: int) -> Terms:
        """Read the block hash and prices, and look at the treasury's account and the purse.

        Raises:
            NotReady: ``treasury_missing``, ``treasury_blocked``, ``gas_short``.
            NoAnswer: unknown; ask again.
        """
        look = self._look()
        purse = read_holding(look.purse)
        if purse is None:
            raise NotReady("treasury_missing", "the treasury has no USDC account yet: fund it")
        if purse.frozen:
            raise NotReady("treasury_blocked", "the treasury's USDC account is frozen")
        cap = int(self.network.options.get("cu_price_cap_micro_lamports", _DEFAULT_PRICE_CAP))
        price = min(look.prices[len(look.prices) * 3 // 4] if look.prices else 0, cap)
        limit = _CU_EACH * (count + 1)
        fee = SIGNATURE_LAMPORTS * (count + 1) - (-limit * price // 1_000_000)
        if look.gas is None or look.gas.lamports < fee + look.rent:
            raise NotReady("gas_short", f"the sweeper {self.sender} cannot pay the fee")
        return {
            "blockhash": look.blockhash,
            "last_valid_block_height": look.last_valid,
            "cu_limit": limit,
            "cu_price_micro_lamports": price,
        }

    def next_sequence(self) -> int | None:
        """Return None: transactions are ordered by nothing of ours."""
        return None

    def sign(
        self,
        items: Sequence[SweepItem],
        terms: Terms,
        sequence: int | None,  # noqa: ARG002 - the port's; there are none here
        replaces: SignedSweeps | None,  # noqa: ARG002 - the same
    ) -> SignedSweeps:
        """Sign with the sweeper's key and with every deposit key.

        Raises:
            KeyDiffers: a number's key does not make its address; nothing was signed.
        """
        if self._keyring is None:
            raise RuntimeError("only the process with the keyring signs")
        payer = Keypair.from_seed(self._keyring.sweeper[SOLANA])
        owners = [self._owner(self._keyring, item) for item in items]
        steps = [
            set_compute_unit_limit(int(terms["cu_limit"])),
            set_compute_unit_price(int(terms["cu_price_micro_lamports"])),
            *(self._transfer(item) for item in items),
        ]
        blockhash = Hash.from_string(str(terms["blockhash"]))
        message = MessageV0.try_compile(payer.pubkey(), steps, [], blockhash)
        transaction = VersionedTransaction(message, [payer, *owners])
        return SignedSweeps(bytes(transaction), str(transaction.signatures[0]), None, terms)

    def broadcast(self, signed: SignedSweeps) -> None:
        """Hand the bytes to the node; its refusals are logged and prove nothing.

        Raises:
            NoAnswer: it may or may not have taken them.
        """
        broadcast(self._rpc, signed.raw, signed.tx_hash)

    def outcome(self, signed: SignedSweeps, items: Sequence[SweepItem]) -> SweepsOutcome:
        """Say what became of a transaction, by finalized state only.

        Raises:
            NoAnswer: unknown; ask again.
        """
        calls: list[Call] = [
            ("getEpochInfo", [_FINAL]),
            ("getSignatureStatuses", [[signed.tx_hash], _HISTORY]),
        ]
        epoch, statuses = ask(self._rpc, calls)
        with reading():
            reached = read_final_point(epoch)
            (status,) = statuses["value"]
            final = status is not None and status["confirmationStatus"] == "finalized"
        if status is not None:
            return self._finalized(signed, items) if final else SweepsOutcome(SendState.WAITING)
        if reached.height <= int(signed.terms["last_valid_block_height"]):
            return SweepsOutcome(SendState.WAITING, seen=False)
        return self._expired(signed, reached.slot)

    def _look(self) -> _Look:
        keys = [self.sender, str(self._purse)]
        calls: list[Call] = [
            ("getLatestBlockhash", [_CONFIRMED]),
            ("getMultipleAccounts", [keys, _CONFIRMED | {"encoding": "base64"}]),
            ("getRecentPrioritizationFees", [[str(self._purse)]]),
            ("getMinimumBalanceForRentExemption", [0]),
        ]
        latest, accounts, paid, rent = ask(self._rpc, calls)
        with reading():
            gas, purse = (read_account(told) for told in accounts["value"])
            return _Look(
                blockhash=str(Hash.from_string(latest["value"]["blockhash"])),
                last_valid=int(latest["value"]["lastValidBlockHeight"]),
                gas=gas,
                purse=purse,
                prices=sorted(int(slot["prioritizationFee"]) for slot in paid),
                rent=int(rent),
            )

    def _finalized(self, signed: SignedSweeps, items: Sequence[SweepItem]) -> SweepsOutcome:
        (told,) = ask(self._rpc, [("getTransaction", [signed.tx_hash, FINAL_TRANSACTION])])
        if told is None:
            return SweepsOutcome(SendState.WAITING)
        with reading():
            fee, err, slot = int(told["meta"]["fee"]), told["meta"]["err"], int(told["slot"])
        if err is not None:
            return SweepsOutcome(SendState.FAILED, reason=_reason(err), fee=fee)
        with reading():
            left = [
                -token_change(told, self._account(item.address), self.network.usdc)
                for item in items
            ]
        if left != [item.amount.micro for item in items]:
            log.error("solana_balances_disagree", tx_hash=signed.tx_hash, left_micro=left)
            return SweepsOutcome(SendState.WAITING, reason="balances_disagree", fee=fee)
        moved = {item.address: Moved(signed.tx_hash, slot) for item in items}
        return SweepsOutcome(SendState.LANDED, fee=fee, moved=moved)

    def _expired(self, signed: SignedSweeps, slot: int) -> SweepsOutcome:
        """Look once more, in this order, now that these bytes can enter no further block."""
        calls: list[Call] = [
            ("getEpochInfo", [_FINAL | {"minContextSlot": slot}]),
            ("getSignatureStatuses", [[signed.tx_hash], _HISTORY]),
            ("getTransaction", [signed.tx_hash, FINAL_TRANSACTION]),
        ]
        epoch, statuses, transaction = ask(self._rpc, calls)
        with reading():
            height = read_final_point(epoch).height
            unknown = statuses["value"] == [None] and transaction is None
        if height > int(signed.terms["last_valid_block_height"]) and unknown:
            return SweepsOutcome(SendState.LOST, reason="expired")
        return SweepsOutcome(SendState.WAITING)

    def _account(self, wallet: str) -> Pubkey:
        return usdc_account(Pubkey.from_string(wallet), self._mint)

    def _transfer(self, item: SweepItem) -> Instruction:
        made: Instruction = transfer_checked(
            TransferCheckedParams(
                program_id=TOKEN_PROGRAM,
                source=self._account(item.address),
                mint=self._mint,
                dest=self._purse,
                owner=Pubkey.from_string(item.address),
                amount=item.amount.micro,
                decimals=_DECIMALS,
            )
        )
        return made

    def _owner(self, keyring: Keyring, item: SweepItem) -> Keypair:
        key = keyring.deposit_key(SOLANA, item.number)
        if _wallet(key) != item.address:
            raise KeyDiffers(f"{SOLANA} {item.number} is not {item.address}")
        return Keypair.from_seed(key)


def _check_keys(keyring: Keyring, addresses: list[str]) -> None:
    # The treasury's as well, which signs nothing here: all money goes there.
    if [_wallet(keyring.treasury[SOLANA]), _wallet(keyring.sweeper[SOLANA])] != addresses:
        raise ValueError("the keyring's Solana keys are not those of the configured addresses")


def _wallet(key: bytes) -> str:
    return str(Keypair.from_seed(key).pubkey())


def _reason(err: Any) -> str:
    # TokenError 17: AccountFrozen.
    return "account_frozen" if "'Custom': 17}" in str(err) else "refused_on_chain"
