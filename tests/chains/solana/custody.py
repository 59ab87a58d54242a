"""Our side of the tests: the adapter, its two wallets, and what can be done to a send."""

import base64
from dataclasses import dataclass

from solders.keypair import Keypair

from protonpay.chains.keyring import Keyring, PublicAddresses
from protonpay.chains.port import SendOrder, SendOutcome, SendState, SignedSend
from protonpay.chains.registry import SOLANA
from protonpay.chains.solana import Solana
from protonpay.kernel import ids
from protonpay.kernel.money import Usdc
from protonpay.sandbox.solana import outside
from protonpay.wire.http import Wire
from protonpay.wire.jsonrpc import JsonRpc
from tests.chains.single import terms_of
from tests.chains.solana.local_node import USDC, LocalNode

TREASURY_MICRO = 1_000_000_000
LANDED = SendOutcome(SendState.LANDED, fee=10_000)
WAITING = SendOutcome(SendState.WAITING)
UNSEEN = SendOutcome(SendState.WAITING, seen=False)
LOST = SendOutcome(SendState.LOST)


def expire(node: LocalNode) -> None:
    """Let the block hash die and the last block that could hold it become final."""
    node.warp(250)


def force(node: LocalNode, send: SignedSend) -> str:
    """Put bytes into a block without the trial run that would refuse them."""
    raw = base64.b64encode(send.raw).decode()
    return node.call("sendTransaction", raw, {"encoding": "base64", "skipPreflight": True})


@dataclass(repr=False)
class Custody:
    """Our side: the adapter and its two wallets."""

    node: LocalNode
    chain: Solana
    gas: Keypair
    treasury: Keypair

    def order(self, to: object, micro: int = 12_345_678) -> SendOrder:
        return SendOrder(ids.new_id(), str(to), Usdc(micro))

    def sign(self, order: SendOrder):
        return self.chain.sign([order], terms_of(self.chain, order), None, None)

    def send(self, order: SendOrder):
        signed = self.sign(order)
        self.chain.broadcast(signed)
        return signed

    def usdc(self, wallet: object) -> int:
        return outside.usdc_balance(self.node.url, USDC, str(wallet))

    def spent(self) -> int:
        return TREASURY_MICRO - self.usdc(self.treasury.pubkey())


def addresses(gas: Keypair, treasury: Keypair) -> PublicAddresses:
    return PublicAddresses(
        treasury={"solana": str(treasury.pubkey())}, gas={"solana": str(gas.pubkey())}
    )


def keyring(gas: Keypair, treasury: Keypair) -> Keyring:
    return Keyring(treasury={"solana": treasury.secret()}, gas={"solana": gas.secret()})


def adapter(node: LocalNode, gas: Keypair, treasury: Keypair, *, signs: bool = True) -> Solana:
    rpc = JsonRpc(Wire(node.url, read_seconds=5))
    keys = keyring(gas, treasury) if signs else None
    return Solana(SOLANA, rpc, addresses(gas, treasury), keys)
