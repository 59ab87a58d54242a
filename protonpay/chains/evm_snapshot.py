"""EVM networks as of a final block: balances and marks, by plain calls of the USDC contract."""

from collections.abc import Sequence
from typing import Any

from Crypto.Hash import keccak

from protonpay.chains import evm_token
from protonpay.chains.evm_node import (
    At,
    Node,
    Question,
    ask_block,
    ask_call,
    octets,
    read_block,
)
from protonpay.chains.keyring import EVM, PublicAddresses
from protonpay.chains.port import Network
from protonpay.chains.snapshot import Balances, FinalBlock, Treasury
from protonpay.kernel.money import MAX_MICRO, Usdc
from protonpay.wire.http import NoAnswer
from protonpay.wire.jsonrpc import JsonRpc

# The first four bytes of the hash of balanceOf(address) and authorizationState(address,bytes32).
_BALANCE_OF = bytes.fromhex("70a08231")
_IS_USED = bytes.fromhex("e94a0102")
_WORD = 32
# Providers take a hundred questions and more at once.
_AT_ONCE = 100


class EvmSnapshot:
    """One EVM network through one node (``chains.snapshot.Snapshot``)."""

    at_once = 1000

    def __init__(self, network: Network, rpc: JsonRpc, addresses: PublicAddresses) -> None:
        self._network = network
        self._treasury = addresses.treasury[EVM]
        self._node = Node(rpc)
        self._recognised = False

    def block(self, height: int | None) -> FinalBlock:
        """Return a final block; its hash is what is asked about, so a fork cannot answer.

        Raises:
            NoAnswer: unknown, not final as this node sees it, or the node or the token is not
                that of the settings.
        """
        self._recognise()
        wanted = "finalized" if height is None else hex(height)
        final, block = map(read_block, self._node.ask(ask_block("finalized"), ask_block(wanted)))
        if block.number > final.number:
            raise NoAnswer(f"block {block.number} is not final: the node is at {final.number}")
        return FinalBlock(block.number, block.time, block.hash)

    def balances(self, at: FinalBlock, addresses: Sequence[str]) -> Balances:
        """Return what each address holds after a block.

        Raises:
            NoAnswer: unknown, or the node has forgotten that block's state.
        """
        found: dict[str, int] = {}
        for start in range(0, len(addresses), _AT_ONCE):
            some = addresses[start : start + _AT_ONCE]
            told = self._node.ask(*(self._balance_of(at, address) for address in some))
            found.update(zip(some, map(_amount, told), strict=True))
        return Balances(at.height, found)

    def treasury(self, at: FinalBlock, payout_ids: Sequence[str]) -> Treasury:
        """Return what the treasury holds, and which payouts' EIP-3009 nonces are used up.

        Raises:
            NoAnswer: unknown.
        """
        paid: set[str] = set()
        for start in range(0, len(payout_ids), _AT_ONCE):
            some = payout_ids[start : start + _AT_ONCE]
            told = self._node.ask(*(self._is_used(at, payout_id) for payout_id in some))
            paid |= {one for one, answer in zip(some, told, strict=True) if _word(answer)}
        (held,) = self._node.ask(self._balance_of(at, self._treasury))
        return Treasury(at.height, Usdc(_amount(held)), frozenset(paid))

    def _balance_of(self, at: FinalBlock, address: str) -> Question:
        return ask_call(self._network.usdc, _BALANCE_OF + _padded(address), _state(at))

    def _is_used(self, at: FinalBlock, payout_id: str) -> Question:
        mark = keccak.new(digest_bits=256, data=payout_id.encode()).digest()
        data = _IS_USED + _padded(self._treasury) + mark
        return ask_call(self._network.usdc, data, _state(at))

    def _recognise(self) -> None:
        if not self._recognised:
            evm_token.insist(self._node, self._network)
            self._recognised = True


def _state(at: FinalBlock) -> At:
    return {"blockHash": at.name, "requireCanonical": True}


def _padded(address: str) -> bytes:
    return octets(address).rjust(_WORD, b"\0")


def _amount(told: Any) -> int:
    amount = _word(told)
    if amount > MAX_MICRO:
        raise NoAnswer("more USDC than there can be")
    return amount


def _word(told: Any) -> int:
    data = octets(told)
    if len(data) != _WORD:
        raise NoAnswer("the contract's answer is not one word")
    return int.from_bytes(data, "big")
