"""Before signing: whose node it is, which token, and whether a payment can be made now."""

from collections.abc import Sequence
from typing import Any

from protonpay.chains import evm_usdc as usdc
from protonpay.chains.evm_node import Block, Node, ask_block, octets, quantity, read_block
from protonpay.chains.evm_outcome import find_payment
from protonpay.chains.evm_token import separator_of
from protonpay.chains.port import AlreadySent, Hindrance, Network, NotReady, PayeeRefused
from protonpay.wire.http import NoAnswer

LATEST = "latest"
FINAL = "finalized"
_DECIMALS = 6
_IDENTITY = {
    "name()": "string",
    "version()": "string",
    "decimals()": "uint8",
    "DOMAIN_SEPARATOR()": "bytes32",
}
# How far back an unexpected earlier send of a payout is looked for, to be able to name it.
_LOOK_BACK_BLOCKS = 10_000
# Providers bound what a batch may hold.
_ASKED_TOGETHER = 250


def recognise(node: Node, network: Network) -> None:
    """Refuse a node of another chain, and a token that would not take our signatures.

    Raises:
        NotReady: ``wrong_chain`` or ``wrong_token``.
        NoAnswer: unknown.
    """
    chain_id, *answers = node.ask(
        ("eth_chainId", []), *(usdc.ask(network, LATEST, name) for name in _IDENTITY)
    )
    if quantity(chain_id) != network.chain_id:
        raise NotReady("wrong_chain", f"the node is of chain {quantity(chain_id)}")
    kinds = zip(_IDENTITY.values(), answers, strict=True)
    found = [usdc.decode(kind, answer) for kind, answer in kinds]
    domain = usdc.domain_of(network)
    if found != [domain["name"], domain["version"], _DECIMALS, separator_of(network)]:
        raise NotReady("wrong_token", f"{network.usdc} says it is {found[0]!r} {found[1]!r}")


def read_heads(node: Node) -> tuple[Block, Block]:
    """Return the newest block and the newest final one.

    Raises:
        NoAnswer: unknown.
    """
    latest, final = node.ask(ask_block(LATEST), ask_block(FINAL))
    return read_block(latest), read_block(final)


def takes_bundles(node: Node, network: Network) -> bool:
    """Tell whether the contract that hands in several payments at once is there.

    Raises:
        NoAnswer: unknown.
    """
    return bool(octets(node.ask(usdc.ask_for_multicall(network))[0]))


def hindrances(
    node: Node, network: Network, payments: Sequence[usdc.Payment], final: Block
) -> list[Hindrance | None]:
    """Look whether the contract would take these payments now, one after the other.

    Returns:
        For each what stands in its way, or None: ``AlreadySent`` where its mark is used (asked
        first, because what was paid must neither be paid again nor be given back);
        ``PayeeRefused`` with ``payee_blacklisted``; ``NotReady`` with ``usdc_paused``,
        ``treasury_blacklisted`` or ``treasury_short``, where those before it leave too little.

    Raises:
        NoAnswer: unknown.
    """
    payer = payments[0].payer
    asked = [
        usdc.ask(network, LATEST, "paused()"),
        # Not the gas wallet's: the contract minds who pays and who is paid, not who hands in.
        usdc.ask(network, LATEST, "isBlacklisted(address)", payer),
        usdc.ask(network, LATEST, "balanceOf(address)", payer),
        *(usdc.ask_if_used(network, LATEST, payment) for payment in payments),
        *(
            usdc.ask(network, LATEST, "isBlacklisted(address)", payment.payee)
            for payment in payments
        ),
    ]
    paused, payer_blocked, balance, *each = (
        answer
        for start in range(0, len(asked), _ASKED_TOGETHER)
        for answer in node.ask(*asked[start : start + _ASKED_TOGETHER])
    )
    used = [usdc.decode("bool", answer) for answer in each[: len(payments)]]
    blocked = [usdc.decode("bool", answer) for answer in each[len(payments) :]]
    ours = _our_hindrance(paused, payer_blocked)
    left = usdc.decode("uint256", balance)
    found: list[Hindrance | None] = []
    for payment, is_used, is_blocked in zip(payments, used, blocked, strict=True):
        if is_used:
            name = _name_of_use(node, network, payment, final)
            found.append(AlreadySent(name, "the mark is used on chain"))
        elif is_blocked:
            found.append(PayeeRefused("payee_blacklisted", "Circle blocks this address"))
        elif ours is not None:
            found.append(ours)
        elif left < payment.amount:
            found.append(NotReady("treasury_short", f"{payer} holds too little USDC"))
        else:
            left -= payment.amount
            found.append(None)
    return found


def _our_hindrance(paused: Any, payer_blocked: Any) -> NotReady | None:
    if usdc.decode("bool", paused):
        return NotReady("usdc_paused", "Circle has paused the token")
    if usdc.decode("bool", payer_blocked):
        return NotReady("treasury_blacklisted", "Circle blocks our treasury")
    return None


def _name_of_use(node: Node, network: Network, payment: usdc.Payment, final: Block) -> str | None:
    first = max(final.number - _LOOK_BACK_BLOCKS, 0)
    try:
        found = find_payment(node, network, payment, first, final)
    except NoAnswer:
        return None
    return found.tx_hash if found else None
