"""What a payout's marker account stands for: the send that made it, or a stranger's lamports."""

from dataclasses import dataclass
from typing import Any

from solders.pubkey import Pubkey

from protonpay.chains.solana_answers import (
    FINAL_TRANSACTION,
    Call,
    ask,
    reading,
    token_change,
    was_created,
)
from protonpay.chains.solana_payment import Wallets
from protonpay.wire.jsonrpc import JsonRpc

_MOST = 50


@dataclass(frozen=True, slots=True)
class MarkerHistory:
    """Who made a marker.

    Attributes:
        tx_hash: the finalized send of ours that made it, or None.
        micro: what that send gave the payee.
        fee: its network fee in lamports.
        by_stranger: somebody's transfer made it, and no send of ours ever did. Only the gas
            wallet's signature creates a marker, but anybody can send lamports to its address
            once they have seen it.

    With neither, the node does not explain the marker (yet), which proves nothing.
    """

    tx_hash: str | None = None
    micro: int = 0
    fee: int = 0
    by_stranger: bool = False


def find_maker(
    rpc: JsonRpc, marker: Pubkey, wallets: Wallets, payee: Pubkey | None = None
) -> MarkerHistory:
    """Look through the finalized transactions that name a marker.

    Args:
        rpc: the node.
        marker: the payout's.
        wallets: ours.
        payee: the token account whose gain is told; without it, what left the treasury is.

    Raises:
        NoAnswer: unknown; ask again.
    """
    options = {"commitment": "finalized", "limit": _MOST}
    (named,) = ask(rpc, [("getSignaturesForAddress", [str(marker), options])])
    with reading():
        worked = [str(entry["signature"]) for entry in named if entry["err"] is None]
    if not worked:
        return MarkerHistory()
    calls: list[Call] = [("getTransaction", [signature, FINAL_TRANSACTION]) for signature in worked]
    told = ask(rpc, calls)
    with reading():
        ours = [_ours(one, marker, wallets, payee) for one in told if one is not None]
        made = next((history for history in ours if history), None)
        stranger = any(was_created(one, marker) for one in told if one is not None)
    # A list that is cut short or names what the node does not show may leave ours out.
    complete = len(named) < _MOST and None not in told
    return made or MarkerHistory(by_stranger=stranger and complete)


def _ours(
    told: Any, marker: Pubkey, wallets: Wallets, payee: Pubkey | None
) -> MarkerHistory | None:
    keys = told["transaction"]["message"]["accountKeys"]
    signed = keys[0] == str(wallets.gas) and str(wallets.purse) in keys
    if not signed or told["meta"]["err"] is not None or not was_created(told, marker):
        return None
    mint, signature = str(wallets.mint), str(told["transaction"]["signatures"][0])
    moved = -token_change(told, wallets.purse, mint)
    if moved > 0 and payee is not None and str(payee) in keys:
        moved = token_change(told, payee, mint)
    return MarkerHistory(signature, moved, int(told["meta"]["fee"])) if moved > 0 else None
