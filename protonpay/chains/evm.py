"""Base and Polygon: payouts by EIP-3009, signed by the treasury, handed in by the gas wallet.

The node must hold the state of its finalized block: on Base that is some 20 minutes old,
more than a pruned geth keeps.
"""

import structlog
from eth_account import Account

from protonpay.chains import evm_fees as fees
from protonpay.chains import evm_terms as terms_of
from protonpay.chains import evm_usdc as usdc
from protonpay.chains.evm_node import Node, quantity
from protonpay.chains.evm_outcome import Inquiry
from protonpay.chains.keyring import EVM, Keyring, PublicAddresses
from protonpay.chains.port import (
    ChainHead,
    Network,
    NotReady,
    SendOrder,
    SendOutcome,
    SignedSend,
    Terms,
)
from protonpay.kernel import clock
from protonpay.kernel.money import Usdc
from protonpay.wire.jsonrpc import JsonRpc, RpcError

log = structlog.get_logger(__name__)

VALID_SECONDS = 900
"""How long a signed payment is good, and so how long a lost one keeps its payout waiting."""


class Evm:
    """One EVM network through one node (``chains.port.Chain``)."""

    def __init__(
        self, network: Network, rpc: JsonRpc, addresses: PublicAddresses, keyring: Keyring | None
    ) -> None:
        self.network = network
        self.treasury = addresses.treasury[EVM]
        self.sender = addresses.gas[EVM]
        self._rpc = rpc
        self._node = Node(rpc)
        self._keyring = keyring
        self._recognised = False
        if keyring is not None:
            _check_keys(keyring, [self.treasury, self.sender])

    def read_terms(self, order: SendOrder) -> Terms:
        """Read fees and the payment's last moment, and look whether it can be made.

        Raises:
            PayeeRefused: ``payee_blacklisted``.
            AlreadySent: the payout's mark is used: sign nothing, give nothing back.
            NotReady: ``wrong_chain``, ``wrong_token``, ``usdc_paused``, ``treasury_blacklisted``,
                ``treasury_short``, ``gas_short``, ``fees_high``.
            NoAnswer: unknown; ask again.
        """
        if not self._recognised:
            terms_of.recognise(self._node, self.network)
            self._recognised = True
        latest, final = terms_of.read_heads(self._node)
        # The clock as well: an idle chain's newest block may be old. A clock that is wrong
        # only makes a lost payment wait longer.
        now = max(latest.time, clock.to_epoch_ms(clock.now()) // 1000)
        payment = self._payment(order, now + VALID_SECONDS)
        terms_of.check_payment(self._node, self.network, payment, final)
        price = fees.suggest(self.network, latest.base_fee, self._suggested_tip())
        self._check_gas(price)
        return {
            "valid_before": payment.valid_before,
            "from_block": final.number,
            "gas": fees.GAS_LIMIT,
            **price.as_terms(),
        }

    def next_sequence(self) -> int:
        """Return how many sends of the gas wallet are final, which is its next nonce.

        Raises:
            NoAnswer: unknown; ask again.
        """
        asked = ("eth_getTransactionCount", [self.sender, terms_of.FINAL])
        return quantity(self._node.ask(asked)[0])

    def sign(
        self, order: SendOrder, terms: Terms, sequence: int | None, replaces: SignedSend | None
    ) -> SignedSend:
        """Sign the payment with the treasury's key and its transaction with the gas wallet's.

        The answered terms carry the fees really signed, so that a later send can outbid them.
        """
        if self._keyring is None or sequence is None:
            raise RuntimeError("only the process with the keys signs, and under a nonce")
        price = fees.Fees.of(terms)
        if replaces is not None:
            price = price.outbidding(fees.Fees.of(replaces.terms))
        payment = self._payment(order, int(terms["valid_before"]))
        transaction = {
            "type": 2,
            "chainId": self.network.chain_id,
            "nonce": sequence,
            "to": self.network.usdc,
            "value": 0,
            "data": usdc.pay(self.network, payment, self._keyring.treasury[EVM]),
            "gas": int(terms["gas"]),
            "maxFeePerGas": price.most,
            "maxPriorityFeePerGas": price.tip,
        }
        signed = Account.sign_transaction(transaction, self._keyring.gas[EVM])
        return SignedSend(
            payout_id=order.payout_id,
            raw=bytes(signed.raw_transaction),
            tx_hash=signed.hash.to_0x_hex(),
            sequence=sequence,
            terms={**terms, **price.as_terms()},
        )

    def broadcast(self, send: SignedSend) -> None:
        """Hand the bytes to the node; "already known", "nonce too low" and the like are logged.

        Raises:
            NoAnswer: it may or may not have taken them.
        """
        try:
            self._rpc.call("eth_sendRawTransaction", "0x" + send.raw.hex())
        except RpcError as error:
            log.info(
                "broadcast_refused",
                network=self.network.name,
                tx_hash=send.tx_hash,
                code=error.code,
                message=error.message,
            )

    def outcome(self, send: SignedSend) -> SendOutcome:
        """Say what became of a send; ``evm_outcome`` says what is proof.

        Raises:
            NoAnswer: unknown; ask again.
        """
        return Inquiry(self._node, self.network, self.sender, send).outcome()

    def balance(self, address: str) -> Usdc:
        """Return a wallet's USDC at the newest final block.

        Raises:
            NoAnswer: unknown; ask again.
        """
        asked = usdc.ask(self.network, terms_of.FINAL, "balanceOf(address)", address)
        return Usdc(usdc.decode("uint256", self._node.ask(asked)[0]))

    def head(self) -> ChainHead:
        """Return how far the node is.

        Raises:
            NoAnswer: the node does not answer.
        """
        latest, final = terms_of.read_heads(self._node)
        return ChainHead(latest.number, final.number, final.time)

    def _payment(self, order: SendOrder, valid_before: int) -> usdc.Payment:
        return usdc.Payment(
            payer=self.treasury,
            payee=order.to,
            amount=order.amount.micro,
            valid_before=valid_before,
            mark=usdc.mark_of(order.payout_id),
        )

    def _suggested_tip(self) -> int:
        try:
            return quantity(self._rpc.call("eth_maxPriorityFeePerGas"))
        except RpcError:
            return 0  # not every node has an opinion; the network's floor holds anyway

    def _check_gas(self, price: fees.Fees) -> None:
        asked = ("eth_getBalance", [self.sender, terms_of.LATEST])
        # Twice: room for a replacement, and for Base's L1 fee, which is not in gas times price.
        if quantity(self._node.ask(asked)[0]) < 2 * fees.GAS_LIMIT * price.most:
            raise NotReady("gas_short", f"the gas wallet {self.sender} needs native coin")


def _check_keys(keyring: Keyring, addresses: list[str]) -> None:
    keys = keyring.treasury[EVM], keyring.gas[EVM]
    if [Account.from_key(key).address for key in keys] != addresses:
        raise ValueError("the keyring's keys do not belong to our public addresses")
