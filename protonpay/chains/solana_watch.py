"""Solana, watched: the USDC account of each wallet, by what transactions made of its balance.

Balances before and after are the node's own record: they show transfers that hide in a
``batch`` or inside another program's call, and need no instruction to be understood.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from solders.pubkey import Pubkey

from protonpay.chains.port import Network
from protonpay.chains.solana_answers import Call, ask, place_of, reading, token_change, token_owners
from protonpay.chains.solana_payment import usdc_account
from protonpay.chains.watch import Arrival, Movement
from protonpay.kernel.money import Usdc
from protonpay.wire.http import NoAnswer
from protonpay.wire.jsonrpc import JsonRpc

_FINAL = {"commitment": "finalized"}
_CONFIRMED = {"commitment": "confirmed"}
_AMOUNT = {"encoding": "base64", "dataSlice": {"offset": 64, "length": 8}, **_CONFIRMED}
_TRANSACTION = {"encoding": "json", "maxSupportedTransactionVersion": 1, **_CONFIRMED}
_ACCOUNTS = 100
_PAGE = 1000
_PAGES = 50
_TRANSACTIONS = 25
_MOST = 500
"""Transactions of one account that are read at once; the rest the next time."""


class SolanaWatch:
    """Solana through one node (``chains.watch.AccountWatch``)."""

    def __init__(self, network: Network, rpc: JsonRpc) -> None:
        self._usdc = network.usdc
        self._mint = Pubkey.from_string(network.usdc)
        self._rpc = rpc

    def final_slot(self) -> int:
        """Return the newest finalized slot.

        Raises:
            NoAnswer: unknown; ask again.
        """
        (final,) = ask(self._rpc, [("getSlot", [_FINAL])])
        with reading():
            return int(final)

    def balances(self, addresses: Sequence[str]) -> Mapping[str, int]:
        """Return the confirmed balance of each wallet's USDC account; 0 where there is none.

        Raises:
            NoAnswer: unknown; ask again.
        """
        found: dict[str, int] = {}
        for start in range(0, len(addresses), _ACCOUNTS):
            some = addresses[start : start + _ACCOUNTS]
            keys = [str(self._account(address)) for address in some]
            (told,) = ask(self._rpc, [("getMultipleAccounts", [keys, _AMOUNT])])
            with reading():
                amounts = [_amount(one) for one in told["value"]]
                found.update(zip(some, amounts, strict=True))
        return found

    def movements(self, address: str, after: str | None) -> list[Movement]:
        """Return what confirmed transactions did to a wallet's USDC account, oldest first.

        Args:
            address: the wallet.
            after: a finalized transaction: one that a fork took away would let the node walk
                through the whole history.

        Raises:
            NoAnswer: unknown; ask again.
        """
        account = self._account(address)
        listed = self._listed(str(account), after)[::-1][:_MOST]
        with reading():
            worked = [str(one["signature"]) for one in listed if one["err"] is None]
        told = dict(self._transactions(worked))
        with reading():
            return [self._movement(one, told, address, account) for one in listed]

    def is_gone(self, tx_hash: str, block: int) -> bool:
        """Tell whether a transaction is in no block although its slot is final by now.

        Raises:
            NoAnswer: unknown; ask again.
        """
        calls: list[Call] = [
            ("getSlot", [_FINAL]),
            ("getSignatureStatuses", [[tx_hash], {"searchTransactionHistory": True}]),
        ]
        final, statuses = ask(self._rpc, calls)
        with reading():
            return int(final) > block and statuses["value"] == [None]

    def _account(self, address: str) -> Pubkey:
        return usdc_account(Pubkey.from_string(address), self._mint)

    def _listed(self, account: str, after: str | None) -> list[Any]:
        """Return the newest first, back to ``after``."""
        listed: list[Any] = []
        options: dict[str, Any] = {"limit": _PAGE, **_CONFIRMED}
        if after is not None:
            options["until"] = after
        for _ in range(_PAGES):
            (page,) = ask(self._rpc, [("getSignaturesForAddress", [account, options])])
            with reading():
                listed += page
                if len(page) < _PAGE:
                    return listed
                options["before"] = str(page[-1]["signature"])
        raise NoAnswer("the list of transactions does not end")

    def _transactions(self, signatures: Sequence[str]) -> Iterator[tuple[str, Any]]:
        for start in range(0, len(signatures), _TRANSACTIONS):
            some = signatures[start : start + _TRANSACTIONS]
            told = ask(self._rpc, [("getTransaction", [one, _TRANSACTION]) for one in some])
            yield from zip(some, told, strict=True)

    def _movement(
        self, listed: Any, told: Mapping[str, Any], address: str, account: Pubkey
    ) -> Movement:
        name = str(listed["signature"])
        final = listed["confirmationStatus"] == "finalized"
        if listed["err"] is not None:
            return Movement(name, 0, final, None)
        transaction = told[name]
        if transaction is None:
            raise NoAnswer(f"the node lists {name} and does not have it")
        if transaction["meta"]["err"] is not None:
            raise NoAnswer(f"the node disagrees with itself about {name}")
        change = token_change(transaction, account, self._usdc)
        arrival = None
        if change > 0:
            payers = self._payers(transaction, account)
            arrival = Arrival(
                address=address,
                # Of several nobody can say whose it is.
                sender=payers[0] if len(payers) == 1 else None,
                amount=Usdc(change),
                tx_hash=name,
                ordinal=place_of(transaction, account),
                block=int(transaction["slot"]),
                block_hash=None,
                payers=payers if len(payers) > 1 else (),
            )
        return Movement(name, change, final, arrival)

    def _payers(self, transaction: Any, account: Pubkey) -> tuple[str, ...]:
        """Return the owners of the accounts that lost USDC."""
        owners = token_owners(transaction, self._usdc)
        lost = {
            owner
            for key, owner in owners.items()
            if key != account and token_change(transaction, key, self._usdc) < 0
        }
        return tuple(sorted(lost))


def _amount(told: Any) -> int:
    return 0 if told is None else int.from_bytes(base64.b64decode(told["data"][0]), "little")
