"""USDC on Solana: one transaction per payout, with a marker that makes it land at most once.

What proves what:

* LANDED: the signature is finalized without an error and the recorded balances show the
  payee's account richer by the amount; or the finalized send of ours that made the
  marker, another one, took the amount out of the treasury.
* FAILED: the signature is finalized with an error and no other send made the marker, or
  a stranger's lamports sit on its address, so that no send of this payout can land.
* LOST: the node's finalized height is past the last valid one, and then it knows neither
  status nor transaction, and the marker does not exist at a slot that is not older.

A node that lags, has forgotten its history or is asked through a balancer can only make
us wait: heights and slots are compared before a null is believed.
"""

import base64
from typing import NoReturn

import structlog
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from protonpay.chains.keyring import Keyring, PublicAddresses
from protonpay.chains.port import (
    AlreadySent,
    ChainHead,
    Network,
    NotReady,
    SendOrder,
    SendOutcome,
    SendState,
    SignedSend,
    Terms,
)
from protonpay.chains.solana_answers import (
    FINAL_TRANSACTION,
    Call,
    FinalPoint,
    ask,
    read_account,
    read_final_point,
    read_holding,
    reading,
    token_change,
)
from protonpay.chains.solana_marker import find_maker
from protonpay.chains.solana_payment import (
    Payment,
    Wallets,
    marker_address,
    read_payment,
    sign_payment,
    usdc_account,
)
from protonpay.chains.solana_terms import check_funds, check_payee, read_facts
from protonpay.kernel.money import Usdc
from protonpay.wire.jsonrpc import JsonRpc, RpcError

log = structlog.get_logger(__name__)

_FINAL = {"commitment": "finalized"}
_CONFIRMED = {"commitment": "confirmed"}
_HISTORY = {"searchTransactionHistory": True}
_DEFAULT_PRICE_CAP = 1_000_000
_UNSEEN = SendOutcome(SendState.WAITING, seen=False)


class Solana:
    """The ``Chain`` of Solana.

    Args:
        network: its USDC mint; ``cu_price_cap_micro_lamports`` among the options bounds
            the priority price.
        rpc: the node.
        addresses: our wallets.
        keyring: their keys, in the process that signs.

    Raises:
        ValueError: the keyring's keys are not those of the addresses.
    """

    def __init__(
        self, network: Network, rpc: JsonRpc, addresses: PublicAddresses, keyring: Keyring | None
    ) -> None:
        self.network = network
        self.sender = addresses.gas["solana"]
        self.treasury = addresses.treasury["solana"]
        self._rpc = rpc
        self._wallets = Wallets(
            gas=Pubkey.from_string(self.sender),
            treasury=Pubkey.from_string(self.treasury),
            mint=Pubkey.from_string(network.usdc),
        )
        self._keys = _open_keys(keyring, self._wallets) if keyring else None

    def read_terms(self, order: SendOrder) -> Terms:
        """Read the block hash and prices, and look at the marker, the payee and the purse.

        The marker comes first: a payout that was paid must not be refused for what
        happened to its payee afterwards.

        Raises:
            AlreadySent: the payout's marker exists.
            PayeeRefused: not a wallet or USDC account, frozen, or ours.
            NotReady: the treasury or the gas wallet is short, the treasury is frozen.
            NoAnswer: unknown; ask again.
        """
        facts = read_facts(self._rpc, order, self._wallets)
        if facts.found.marker is not None:
            self._refuse_second_send(order)
        to_wallet = check_payee(Pubkey.from_string(order.to), facts.found, self._wallets)
        cap = int(self.network.options.get("cu_price_cap_micro_lamports", _DEFAULT_PRICE_CAP))
        terms = facts.terms(order, self._wallets, to_wallet=to_wallet, price_cap=cap)
        check_funds(order.amount, facts.lamports_needed(terms), facts.found)
        return terms

    def next_sequence(self) -> int | None:
        """Return None: transactions are ordered by nothing of ours."""
        return None

    def sign(
        self,
        order: SendOrder,
        terms: Terms,
        sequence: int | None,  # noqa: ARG002 - the port's; there are none here
        replaces: SignedSend | None,  # noqa: ARG002 - the same
    ) -> SignedSend:
        """Sign one send. Pure: the same arguments give the same bytes."""
        if self._keys is None:
            raise RuntimeError("only the process with the keyring signs")
        transaction = sign_payment(order, terms, self._wallets, self._keys)
        signature = str(transaction.signatures[0])
        return SignedSend(order.payout_id, bytes(transaction), signature, None, terms)

    def broadcast(self, send: SignedSend) -> None:
        """Hand the bytes to the node, which tries them first and then passes them on.

        A refusal proves nothing: bytes that landed are refused too, and a node that lags
        does not know the block hash yet.

        Raises:
            NoAnswer: it may or may not have taken them.
        """
        raw = base64.b64encode(send.raw).decode()
        options = {"encoding": "base64", "preflightCommitment": "confirmed"}
        try:
            self._rpc.call("sendTransaction", raw, options)
        except RpcError as error:
            log.warning(
                "solana_send_refused",
                payout_id=send.payout_id,
                tx_hash=send.tx_hash,
                error=str(error),
            )

    def outcome(self, send: SignedSend) -> SendOutcome:
        """Say what became of a send, by finalized state only.

        Raises:
            NoAnswer: unknown; ask again.
            ValueError: the stored bytes and hash do not belong together.
        """
        payment = read_payment(send.raw)
        if payment.signature != send.tx_hash:
            raise ValueError(f"{send.payout_id}: stored bytes and hash do not belong together")
        calls: list[Call] = [
            ("getEpochInfo", [_FINAL]),
            ("getSignatureStatuses", [[payment.signature], _HISTORY]),
        ]
        epoch, statuses = ask(self._rpc, calls)
        with reading():
            reached = read_final_point(epoch)
            (status,) = statuses["value"]
            final = status is not None and status["confirmationStatus"] == "finalized"
            reason = payment.refusal(status["err"]) if status is not None else None
        if status is None:
            expired = reached.height > int(send.terms["last_valid_block_height"])
            return self._expired(send, payment, reached) if expired else _UNSEEN
        if not final:
            return SendOutcome(SendState.WAITING, reason=reason)
        return self._finalized(payment)

    def balance(self, address: str) -> Usdc:
        """Return a wallet's finalized USDC; 0 when it has no account for it.

        Raises:
            NoAnswer: unknown; ask again.
        """
        account = usdc_account(Pubkey.from_string(address), self._wallets.mint)
        options = {"commitment": "finalized", "encoding": "base64"}
        (told,) = ask(self._rpc, [("getAccountInfo", [str(account), options])])
        with reading():
            holding = read_holding(read_account(told["value"]))
        return Usdc(holding.micro if holding else 0)

    def head(self) -> ChainHead:
        """Return the block heights of the newest and the newest final block, and its time.

        Raises:
            NoAnswer: the node does not answer.
        """
        calls: list[Call] = [("getBlockHeight", [_CONFIRMED]), ("getEpochInfo", [_FINAL])]
        latest, epoch = ask(self._rpc, calls)
        with reading():
            reached = read_final_point(epoch)
        (made_at,) = ask(self._rpc, [("getBlockTime", [reached.slot])])
        with reading():
            return ChainHead(int(latest), reached.height, int(made_at))

    def _refuse_second_send(self, order: SendOrder) -> NoReturn:
        marker = marker_address(self._wallets.gas, order.payout_id)
        made = find_maker(self._rpc, marker, self._wallets)
        if made.by_stranger:
            raise NotReady("marker_taken", "A stranger's lamports are on the payout's marker.")
        raise AlreadySent(made.tx_hash, "An earlier send of this payout made its marker.")

    def _finalized(self, payment: Payment) -> SendOutcome:
        (told,) = ask(self._rpc, [("getTransaction", [payment.signature, FINAL_TRANSACTION])])
        if told is None:
            return SendOutcome(SendState.WAITING)
        with reading():
            fee, slot = int(told["meta"]["fee"]), int(told["slot"])
            reason = payment.refusal(told["meta"]["err"])
            paid = 0 if reason else token_change(told, payment.payee, self.network.usdc)
        if reason is not None:
            return self._refused(
                payment, slot, SendOutcome(SendState.FAILED, reason=reason, fee=fee)
            )
        if paid != payment.micro:
            log.error("solana_balances_disagree", tx_hash=payment.signature, paid_micro=paid)
            return SendOutcome(SendState.WAITING, reason="balances_disagree", fee=fee)
        return SendOutcome(SendState.LANDED, fee=fee)

    def _refused(self, payment: Payment, slot: int, failed: SendOutcome) -> SendOutcome:
        """Before the payout may count as failed: no other send of it has made the marker."""
        not_older = _FINAL | {"minContextSlot": slot, "encoding": "base64"}
        (marker,) = ask(self._rpc, [("getAccountInfo", [str(payment.marker), not_older])])
        with reading():
            unmarked = marker["value"] is None and marker["context"]["slot"] >= slot
        if unmarked and failed.reason != "marker_taken":
            return failed
        return self._marked(payment)

    def _expired(self, send: SignedSend, payment: Payment, reached: FinalPoint) -> SendOutcome:
        """Look once more, in this order, now that these bytes can enter no further block."""
        not_older = _FINAL | {"minContextSlot": reached.slot}
        calls: list[Call] = [
            ("getEpochInfo", [not_older]),
            ("getSignatureStatuses", [[payment.signature], _HISTORY]),
            ("getTransaction", [payment.signature, FINAL_TRANSACTION]),
            ("getAccountInfo", [str(payment.marker), not_older | {"encoding": "base64"}]),
        ]
        epoch, statuses, transaction, marker = ask(self._rpc, calls)
        with reading():
            still = read_final_point(epoch).height > int(send.terms["last_valid_block_height"])
            unknown = statuses["value"] == [None] and transaction is None
            fresh = marker["context"]["slot"] >= reached.slot
            unmarked = marker["value"] is None
        if not (still and unknown and fresh):
            return SendOutcome(SendState.WAITING)
        return SendOutcome(SendState.LOST) if unmarked else self._marked(payment)

    def _marked(self, payment: Payment) -> SendOutcome:
        """These bytes are dead; say what the marker they met stands for."""
        made = find_maker(self._rpc, payment.marker, self._wallets)
        if made.tx_hash is not None and made.micro == payment.micro:
            other = made.tx_hash if made.tx_hash != payment.signature else None
            return SendOutcome(SendState.LANDED, fee=made.fee, tx_hash=other)
        if made.by_stranger:
            return SendOutcome(SendState.FAILED, reason="marker_taken")
        return SendOutcome(SendState.WAITING, reason="marker_unexplained")


def _open_keys(keyring: Keyring, wallets: Wallets) -> tuple[Keypair, Keypair]:
    gas = Keypair.from_seed(keyring.gas["solana"])
    treasury = Keypair.from_seed(keyring.treasury["solana"])
    if (gas.pubkey(), treasury.pubkey()) != (wallets.gas, wallets.treasury):
        raise ValueError("the keyring's Solana keys are not those of the configured addresses")
    return gas, treasury
