"""USDC on Solana: payouts with a marker each, which makes them land at most once.

A transaction lands or fails as a whole: what is said of one of its payments below holds for
the others, but that a payment which made it fail is FAILED and the others are LOST.

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

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

import structlog
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from protonpay.chains.keyring import Keyring, PublicAddresses
from protonpay.chains.port import (
    AlreadySent,
    ChainHead,
    Hindrance,
    Network,
    NotReady,
    PayeeRefused,
    Prospect,
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
    broadcast,
    read_account,
    read_final_point,
    read_holding,
    reading,
    token_change,
)
from protonpay.chains.solana_bundle import Bundles
from protonpay.chains.solana_marker import find_maker
from protonpay.chains.solana_payment import (
    ANOTHER,
    Payment,
    Sent,
    Wallets,
    marker_address,
    read_sent,
    sign_payments,
    signature_of,
    usdc_account,
)
from protonpay.chains.solana_terms import read_facts
from protonpay.kernel.money import Usdc
from protonpay.wire.jsonrpc import JsonRpc

log = structlog.get_logger(__name__)

_FINAL = {"commitment": "finalized"}
_CONFIRMED = {"commitment": "confirmed"}
_HISTORY = {"searchTransactionHistory": True}
_DEFAULT_PRICE_CAP = 1_000_000
_SEEN = SendOutcome(SendState.WAITING)
_UNSEEN = SendOutcome(SendState.WAITING, seen=False)
# Some 30 kB each.
_READ_TOGETHER = 32


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

    most_in_one = 20
    # Ten transactions to wallets that never held USDC, five to others.
    most_together = 90

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

    def read_terms(self, orders: Sequence[SendOrder]) -> Prospect:
        """Read the block hash and prices, and look at the markers, the payees and the purse.

        Hindered are orders whose marker exists (already sent; it comes first: a payout that was
        paid must not be refused for what happened to its payee afterwards), whose payee is not
        a wallet or USDC account, frozen or ours (refused), and those that ``treasury_frozen``,
        ``treasury_short`` or ``gas_short`` keeps waiting.

        Raises:
            NoAnswer: unknown; ask again.
        """
        facts = read_facts(self._rpc, orders, self._wallets)
        cap = int(self.network.options.get("cu_price_cap_micro_lamports", _DEFAULT_PRICE_CAP))
        bundles = Bundles(facts, self._wallets, facts.terms(cap), self.most_in_one)
        hindered: dict[str, Hindrance] = {}
        for order, found in zip(orders, facts.found, strict=True):
            try:
                if found.marker is not None:
                    self._refuse_second_send(order)
                bundles.add(order, found)
            except (PayeeRefused, NotReady) as why:
                hindered[order.payout_id] = why
        if not bundles.filled:
            return Prospect({}, (), hindered)
        first, *further = [Prospect(each.terms, each.orders, {}) for each in bundles.filled]
        return replace(first, hindered=hindered, further=further)

    def next_sequence(self) -> int | None:
        """Return None: transactions are ordered by nothing of ours."""
        return None

    def sign(
        self,
        orders: Sequence[SendOrder],
        terms: Terms,
        sequence: int | None,  # noqa: ARG002 - the port's; there are none here
        replaces: SignedSend | None,  # noqa: ARG002 - the same
    ) -> SignedSend:
        """Sign one send. Pure: the same arguments give the same bytes."""
        if self._keys is None:
            raise RuntimeError("only the process with the keyring signs")
        transaction = sign_payments(orders, terms, self._wallets, self._keys)
        signature = str(transaction.signatures[0])
        paid = tuple(order.payout_id for order in orders)
        return SignedSend(paid, bytes(transaction), signature, None, terms)

    def broadcast(self, send: SignedSend) -> None:
        """Hand the bytes to the node, which tries them first and then passes them on.

        A refusal proves nothing: bytes that landed are refused too, and a node that lags
        does not know the block hash yet.

        Raises:
            NoAnswer: it may or may not have taken them.
        """
        broadcast(self._rpc, send.raw, send.tx_hash)

    def outbid(self, send: SignedSend) -> SignedSend | None:  # noqa: ARG002 - the port's verb
        """Nothing: a dearer transaction is another one here; what is not taken expires soon."""
        return None

    def outcomes(self, *sends: SignedSend) -> Mapping[str, SendOutcome]:
        """Say what became of each payment, by finalized state only.

        Raises:
            NoAnswer: unknown; ask again.
            ValueError: the stored bytes and hash do not belong together.
        """
        for send in sends:
            if signature_of(send.raw) != send.tx_hash:
                raise ValueError(f"{send.tx_hash}: stored bytes and hash do not belong together")
        calls: list[Call] = [
            ("getEpochInfo", [_FINAL]),
            ("getSignatureStatuses", [[send.tx_hash for send in sends], _HISTORY]),
        ]
        epoch, statuses = ask(self._rpc, calls)
        with reading():
            reached = read_final_point(epoch)
            told = [
                None
                if status is None
                else (status["confirmationStatus"] == "finalized", status["err"])
                for status in statuses["value"]
            ]
            looked = list(zip(sends, told, strict=True))
        found = dict[str, SendOutcome]()
        for send, status in looked:
            if status is None:
                found |= self._unknown(send, reached)
            elif not status[0]:
                found |= self._not_final(send, status[1])
        final = [send for send, status in looked if status is not None and status[0]]
        for start in range(0, len(final), _READ_TOGETHER):
            found |= self._finalized(final[start : start + _READ_TOGETHER])
        return found

    def _unknown(self, send: SignedSend, reached: FinalPoint) -> Mapping[str, SendOutcome]:
        if reached.height > int(send.terms["last_valid_block_height"]):
            sent = read_sent(send.raw)
            return self._by_payout(send, sent, self._expired(send, sent, reached))
        return dict.fromkeys(send.payout_ids, _UNSEEN)

    def _not_final(self, send: SignedSend, err: Any) -> Mapping[str, SendOutcome]:
        if err is None:
            return dict.fromkeys(send.payout_ids, _SEEN)
        sent = read_sent(send.raw)
        found = [
            SendOutcome(SendState.WAITING, reason=payment.refusal(err)) for payment in sent.payments
        ]
        return self._by_payout(send, sent, found)

    def _by_payout(
        self, send: SignedSend, sent: Sent, found: Sequence[SendOutcome]
    ) -> Mapping[str, SendOutcome]:
        of_marker = {
            payment.marker: outcome for payment, outcome in zip(sent.payments, found, strict=True)
        }
        return {
            payout_id: of_marker[marker_address(self._wallets.gas, payout_id)]
            for payout_id in send.payout_ids
        }

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
        """Return the slots of the newest and the newest final block, and its time.

        Raises:
            NoAnswer: the node does not answer.
        """
        latest, final = ask(self._rpc, [("getSlot", [_CONFIRMED]), ("getSlot", [_FINAL])])
        with reading():
            latest, final = int(latest), int(final)
        (made_at,) = ask(self._rpc, [("getBlockTime", [final])])
        with reading():
            return ChainHead(latest, final, final, int(made_at))

    def _refuse_second_send(self, order: SendOrder) -> NoReturn:
        marker = marker_address(self._wallets.gas, order.payout_id)
        made = find_maker(self._rpc, marker, self._wallets)
        if made.by_stranger:
            raise NotReady("marker_taken", "A stranger's lamports are on the payout's marker.")
        raise AlreadySent(made.tx_hash, "An earlier send of this payout made its marker.")

    def _finalized(self, sends: Sequence[SignedSend]) -> Mapping[str, SendOutcome]:
        calls: list[Call] = [
            ("getTransaction", [each.tx_hash, FINAL_TRANSACTION]) for each in sends
        ]
        found = dict[str, SendOutcome]()
        for send, told in zip(sends, ask(self._rpc, calls), strict=True):
            sent = read_sent(send.raw)
            found |= self._by_payout(send, sent, self._of_final(sent, told))
        return found

    def _of_final(self, sent: Sent, told: Any) -> list[SendOutcome]:
        if told is None:
            return [SendOutcome(SendState.WAITING) for _ in sent.payments]
        mint = self.network.usdc
        with reading():
            fee, slot, err = int(told["meta"]["fee"]), int(told["slot"]), told["meta"]["err"]
        if err is not None:
            return self._refused(sent, slot, err, fee)
        with reading():
            paid = [token_change(told, each.payee, mint) for each in sent.payments]
        return [
            _landed(sent, payment, micro, fee)
            for payment, micro in zip(sent.payments, paid, strict=True)
        ]

    def _refused(self, sent: Sent, slot: int, err: Any, fee: int) -> list[SendOutcome]:
        """Before a payout may count as failed: no other send of it has made the marker."""
        found = []
        frozen, looked = self._look_for_markers(sent, slot)
        for payment, unmarked in looked:
            reason = payment.refusal(err)
            if reason == "account_frozen" and frozen:
                reason = "treasury_frozen"  # the error does not say which of the two accounts
            state = SendState.LOST if reason == ANOTHER else SendState.FAILED
            if unmarked and reason != "marker_taken":
                found.append(SendOutcome(state, reason=reason, fee=fee))
            else:
                found.append(self._marked(sent, payment))
        return found

    def _look_for_markers(self, sent: Sent, slot: int) -> tuple[bool, list[tuple[Payment, bool]]]:
        """Look at a slot or later.

        Returns:
            Whether the treasury is frozen; each payment, and whether its marker is known not to
            exist.
        """
        not_older = _FINAL | {"minContextSlot": slot, "encoding": "base64"}
        keys = [str(sent.purse), *(str(payment.marker) for payment in sent.payments)]
        (told,) = ask(self._rpc, [("getMultipleAccounts", [keys, not_older])])
        with reading():
            purse, *markers = told["value"]
            holding, fresh = read_holding(read_account(purse)), told["context"]["slot"] >= slot
            return holding is not None and holding.frozen, [
                (payment, fresh and marker is None)
                for payment, marker in zip(sent.payments, markers, strict=True)
            ]

    def _expired(self, send: SignedSend, sent: Sent, reached: FinalPoint) -> list[SendOutcome]:
        """Look once more, in this order, now that these bytes can enter no further block."""
        not_older = _FINAL | {"minContextSlot": reached.slot}
        keys = [str(payment.marker) for payment in sent.payments]
        calls: list[Call] = [
            ("getEpochInfo", [not_older]),
            ("getSignatureStatuses", [[sent.signature], _HISTORY]),
            ("getTransaction", [sent.signature, FINAL_TRANSACTION]),
            ("getMultipleAccounts", [keys, not_older | {"encoding": "base64"}]),
        ]
        epoch, statuses, transaction, markers = ask(self._rpc, calls)
        with reading():
            still = read_final_point(epoch).height > int(send.terms["last_valid_block_height"])
            unknown = statuses["value"] == [None] and transaction is None
            fresh = markers["context"]["slot"] >= reached.slot
            looked = list(zip(sent.payments, markers["value"], strict=True))
        if not (still and unknown and fresh):
            return [SendOutcome(SendState.WAITING) for _ in sent.payments]
        return [
            SendOutcome(SendState.LOST) if marker is None else self._marked(sent, payment)
            for payment, marker in looked
        ]

    def _marked(self, sent: Sent, payment: Payment) -> SendOutcome:
        """These bytes are dead; say what the marker they met stands for."""
        made = find_maker(self._rpc, payment.marker, self._wallets, payment.payee)
        if made.tx_hash is not None and made.micro == payment.micro:
            other = made.tx_hash if made.tx_hash != sent.signature else None
            return SendOutcome(SendState.LANDED, fee=made.fee, tx_hash=other)
        if made.by_stranger:
            return SendOutcome(SendState.FAILED, reason="marker_taken")
        return SendOutcome(SendState.WAITING, reason="marker_unexplained")


def _landed(sent: Sent, payment: Payment, paid: int, fee: int) -> SendOutcome:
    if paid != payment.micro:
        log.error("solana_balances_disagree", tx_hash=sent.signature, paid_micro=paid)
        return SendOutcome(SendState.WAITING, reason="balances_disagree", fee=fee)
    return SendOutcome(SendState.LANDED, fee=fee)


def _open_keys(keyring: Keyring, wallets: Wallets) -> tuple[Keypair, Keypair]:
    gas = Keypair.from_seed(keyring.gas["solana"])
    treasury = Keypair.from_seed(keyring.treasury["solana"])
    if (gas.pubkey(), treasury.pubkey()) != (wallets.gas, wallets.treasury):
        raise ValueError("the keyring's Solana keys are not those of the configured addresses")
    return gas, treasury
