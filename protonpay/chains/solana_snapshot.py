"""Solana as of a final slot: only the present can be asked about, so each answer says its slot."""

from collections.abc import Mapping, Sequence
from typing import Any

from solders.pubkey import Pubkey

from protonpay.chains.keyring import PublicAddresses
from protonpay.chains.port import Network
from protonpay.chains.snapshot import Balances, FinalBlock, Treasury
from protonpay.chains.solana_answers import Call, ask, read_account, read_holding, reading
from protonpay.chains.solana_payment import marker_address, usdc_account
from protonpay.kernel.money import Usdc
from protonpay.wire.http import NoAnswer
from protonpay.wire.jsonrpc import JsonRpc

_FINAL = {"commitment": "finalized"}
_MOST = 100
"""Accounts that ``getMultipleAccounts`` takes at once."""
_TRIES = 5


class SolanaSnapshot:
    """Solana through one node (``chains.snapshot.Snapshot``)."""

    at_once = _MOST

    def __init__(self, network: Network, rpc: JsonRpc, addresses: PublicAddresses) -> None:
        self._mint = Pubkey.from_string(network.usdc)
        self._treasury = addresses.treasury["solana"]
        self._gas = Pubkey.from_string(addresses.gas["solana"])
        self._rpc = rpc

    def block(self, height: int | None) -> FinalBlock:
        """Return the newest final slot; an older one is answered with it, too.

        Raises:
            NoAnswer: unknown, or the node is not as far as ``height``.
        """
        (slot,) = ask(self._rpc, [("getSlot", [_FINAL])])
        (made_at,) = ask(self._rpc, [("getBlockTime", [slot])])
        with reading():
            found = FinalBlock(int(slot), int(made_at))
        if height is not None and found.height < height:
            raise NoAnswer(f"slot {height} is not final: the node is at {found.height}")
        return found

    def balances(self, at: FinalBlock, addresses: Sequence[str]) -> Balances:
        """Return what each wallet's USDC account holds at one slot, not before the given one.

        Raises:
            NoAnswer: unknown, or the node does not answer for all of them at one slot.
        """
        accounts = {address: self._account(address) for address in addresses}
        slot, held = self._read(at, list(accounts.values()))
        return Balances(slot, {one: _micro(held[account]) for one, account in accounts.items()})

    def treasury(self, at: FinalBlock, payout_ids: Sequence[str]) -> Treasury:
        """Return what the treasury holds, and which payouts' markers exist.

        Raises:
            NoAnswer: unknown.
        """
        purse = self._account(self._treasury)
        markers = {one: str(marker_address(self._gas, one)) for one in payout_ids}
        slot, held = self._read(at, [purse, *markers.values()])
        paid = frozenset(one for one, marker in markers.items() if held[marker] is not None)
        return Treasury(slot, Usdc(_micro(held[purse])), paid)

    def _account(self, address: str) -> str:
        return str(usdc_account(Pubkey.from_string(address), self._mint))

    def _read(self, at: FinalBlock, accounts: Sequence[str]) -> tuple[int, Mapping[str, Any]]:
        """Read accounts of one slot; more than one answer holds, until they are of the same."""
        options = {**_FINAL, "encoding": "base64", "minContextSlot": at.height}
        parts = [list(accounts[i : i + _MOST]) for i in range(0, len(accounts), _MOST)]
        calls: list[Call] = [("getMultipleAccounts", [part, options]) for part in parts]
        for _ in range(_TRIES):
            told = ask(self._rpc, calls)
            with reading():
                slots = {int(answer["context"]["slot"]) for answer in told}
                values = [one for answer in told for one in answer["value"]]
                held = dict(zip(accounts, values, strict=True))
            if min(slots) < at.height:
                raise NoAnswer("the node answers for an older slot than was asked for")
            if len(slots) == 1:
                return slots.pop(), held
        raise NoAnswer("the node does not answer for all accounts at one slot")


def _micro(told: Any) -> int:
    with reading():
        holding = read_holding(read_account(told))
    return holding.micro if holding else 0
