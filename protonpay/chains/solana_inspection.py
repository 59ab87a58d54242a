"""One transaction of Solana, with every token it moved (``chains.inspection.Inspector``)."""

from collections.abc import Iterator
from typing import Any

from solders.signature import Signature

from protonpay.chains.inspection import NATIVE, USDC, Inspected, Standing, Touch
from protonpay.chains.port import Network
from protonpay.chains.solana_answers import (
    account_keys,
    ask,
    read_account,
    reading,
    token_change,
    token_owners,
)
from protonpay.wire.http import NoAnswer
from protonpay.wire.jsonrpc import JsonRpc

_CONFIRMED = {
    "commitment": "confirmed",
    "encoding": "json",
    "maxSupportedTransactionVersion": 1,
}


class SolanaInspector:
    """Solana through one node."""

    def __init__(self, network: Network, rpc: JsonRpc) -> None:
        self._usdc = network.usdc
        self._rpc = rpc

    def canonical(self, tx_hash: str) -> str | None:
        """Return a signature in base58; None if it is something else."""
        try:
            return str(Signature.from_string(tx_hash))
        except ValueError:
            return None

    def inspect(self, tx_hash: str) -> Inspected:
        """Return what a transaction did.

        Raises:
            NoAnswer: unknown; ask again.
        """
        statuses, told = ask(
            self._rpc,
            [
                ("getSignatureStatuses", [[tx_hash], {"searchTransactionHistory": True}]),
                ("getTransaction", [tx_hash, _CONFIRMED]),
            ],
        )
        with reading():
            status = statuses["value"][0]
            if status is None and told is None:
                return Inspected(Standing.MISSING)
            if told is None:
                return Inspected(Standing.PENDING)
            if status is None:
                raise NoAnswer(f"the node has {tx_hash} and does not know how it stands")
            block = int(told["slot"])
            if told["meta"]["err"] is not None:
                return Inspected(Standing.FAILED, block)
            final = status["confirmationStatus"] == "finalized"
            touches = (*self._tokens(told), *_coins(told))
        return Inspected(Standing.FINAL if final else Standing.SEEN, block, touches)

    def is_contract(self, address: str) -> bool:
        """Tell whether a program, or an account that one owns, stands at an address.

        Raises:
            NoAnswer: unknown; ask again.
        """
        options = {"commitment": "confirmed", "encoding": "base64"}
        (told,) = ask(self._rpc, [("getAccountInfo", [address, options])])
        with reading():
            held = read_account(told["value"])
        return held is not None and not held.is_plain

    def _tokens(self, told: Any) -> Iterator[Touch]:
        meta = told["meta"]
        balances = (*meta["preTokenBalances"], *meta["postTokenBalances"])
        for mint in dict.fromkeys(str(one["mint"]) for one in balances):
            owners = token_owners(told, mint)
            changes = {key: token_change(told, key, mint) for key in owners}
            gave = {owners[key] for key, change in changes.items() if change < 0}
            for key, change in changes.items():
                if change > 0:
                    yield Touch(
                        address=owners[key],
                        asset=USDC if mint == self._usdc else mint,
                        amount=change,
                        sender=next(iter(gave)) if len(gave) == 1 else None,
                    )


def _coins(told: Any) -> Iterator[Touch]:
    meta, keys = told["meta"], account_keys(told)
    for key, before, after in zip(keys, meta["preBalances"], meta["postBalances"], strict=True):
        if int(after) > int(before):
            yield Touch(key, NATIVE, int(after) - int(before), None)
