"""``sandbox_…``: what no real node offers, so that rare days can be had at will.

Lengths and counts are bounded; nothing here survives a restart except what landed.
"""

import http
from typing import Any

from protonpay.sandbox.solana import faucet
from protonpay.sandbox.solana.faults import Fault
from protonpay.sandbox.solana.methods.sending import read_transaction
from protonpay.sandbox.solana.node import Node
from protonpay.sandbox.solana.params import Config, Params, invalid

_MOST_SLOTS = 1_000_000
_MOST_TIMES = 1000
_LONGEST_DELAY_MS = 60_000
_STATUSES = (0, *http.HTTPStatus)
_FAULT_MEMBERS = {"error", "result", "status", "delayMs", "after"}


def warp(node: Node, params: Params) -> Any:
    """``sandbox_warp [slots]``: let slots pass at once; returns the new slot."""
    slot = node.bank.timeline.warp(_bounded(params.whole(0), _MOST_SLOTS))
    node.bank.archive.keep_fact("timeline", node.bank.timeline.facts())
    return slot


def rollback(node: Node, params: Params) -> Any:
    """``sandbox_rollback [slots, transactions]``: the newest slots (at least one) lost.

    What was in them is gone and returned. The fork that won may have had transactions of
    its own (base64), which appear in its first block as if they had always been there.
    """
    after, lost = node.bank.leave_fork(max(1, _bounded(params.whole(0), _MOST_SLOTS)))
    for raw in params.values(1, _MOST_TIMES) if params.get(1) is not None else []:
        node.bank.submit(read_transaction(str(raw), Config({"encoding": "base64"})), after)
    return [str(landed.signature) for landed in lost]


def undo(node: Node, params: Params) -> Any:
    """``sandbox_undo [signature]``: a fork wins that never had it; false if it is final or absent.

    Whatever else was in the lost slots is in the first block of that fork.
    """
    return node.bank.undo(params.signature(0))


def stall_finality(node: Node, params: Params) -> Any:
    """``sandbox_stallFinality [true|false]``: nothing becomes final while it is true."""
    node.bank.finality_stalled = params.get(0) is not False
    return node.bank.finality_stalled


def drop_next(node: Node, params: Params) -> Any:
    """``sandbox_dropNext [times]``: the next sends are answered with a signature and lost."""
    node.drops = _bounded(params.whole(0) if params.get(0) is not None else 1, _MOST_TIMES)
    return node.drops


def fail_next(node: Node, params: Params) -> Any:
    """``sandbox_failNext [method, fault, times]``: the method's next calls meet a fault.

    A fault is an object with ``error`` (a JSON-RPC error), ``result`` (answered instead),
    ``status`` (an HTTP status; 0 closes the connection), ``delayMs``, and ``after``: true
    to run the method first, so that only its answer is lost.
    """
    told = params.get(1)
    if not isinstance(told, dict) or not told.keys() <= _FAULT_MEMBERS:
        raise invalid(f"A fault is an object of {sorted(_FAULT_MEMBERS)}.")
    if not isinstance(told.get("error", {}), dict) or told.get("status", 0) not in _STATUSES:
        raise invalid("A fault's error is an object, its status one of HTTP's or 0.")
    fault = Fault(
        error=told.get("error"),
        result=told.get("result"),
        has_result="result" in told,
        status=told.get("status"),
        delay_ms=_bounded(told.get("delayMs", 0), _LONGEST_DELAY_MS),
        after=told.get("after") is True,
    )
    times = _bounded(params.whole(2) if params.get(2) is not None else 1, _MOST_TIMES)
    node.faults.order(params.text(0), fault, times)
    return times


def reset(node: Node, _: Params) -> Any:
    """``sandbox_reset []``: no faults, no drops, finality as usual."""
    node.faults.clear()
    node.drops = node.priority_fee = 0
    node.bank.finality_stalled = False
    return True


def set_priority_fee(node: Node, params: Params) -> Any:
    """``sandbox_setPriorityFee [microLamports]``: what everybody is paying lately."""
    node.priority_fee = params.whole(0)
    return node.priority_fee


def send_usdc(node: Node, params: Params) -> Any:
    """``sandbox_sendUsdc [wallet, micro]``: from the outside wallet; returns the signature."""
    return faucet.send_usdc(node.bank, params.pubkey(0), params.whole(1))


def send_lamports(node: Node, params: Params) -> Any:
    """``sandbox_sendSol [wallet, lamports]``: from the outside wallet; returns the signature."""
    return faucet.send_lamports(node.bank, params.pubkey(0), params.whole(1))


def freeze(node: Node, params: Params) -> Any:
    """``sandbox_freeze [wallet or token account]``: returns the signature."""
    return faucet.set_frozen(node.bank, params.pubkey(0), frozen=True)


def unfreeze(node: Node, params: Params) -> Any:
    """``sandbox_unfreeze [wallet or token account]``: returns the signature."""
    return faucet.set_frozen(node.bank, params.pubkey(0), frozen=False)


def _bounded(number: Any, most: int) -> int:
    if not isinstance(number, int) or not 0 <= number <= most:
        raise invalid(f"A whole number between 0 and {most}.")
    return number


METHODS = {
    "sandbox_warp": warp,
    "sandbox_rollback": rollback,
    "sandbox_undo": undo,
    "sandbox_stallFinality": stall_finality,
    "sandbox_dropNext": drop_next,
    "sandbox_failNext": fail_next,
    "sandbox_reset": reset,
    "sandbox_setPriorityFee": set_priority_fee,
    "sandbox_sendUsdc": send_usdc,
    "sandbox_sendSol": send_lamports,
    "sandbox_freeze": freeze,
    "sandbox_unfreeze": unfreeze,
}
