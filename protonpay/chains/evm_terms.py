"""Before signing: whose node it is, which token, and whether a payment can be made now."""

from protonpay.chains import evm_usdc as usdc
from protonpay.chains.evm_node import Block, Node, ask_block, quantity, read_block
from protonpay.chains.evm_outcome import find_payment
from protonpay.chains.port import AlreadySent, Network, NotReady, PayeeRefused
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
    if found != [domain["name"], domain["version"], _DECIMALS, usdc.separator_of(network)]:
        raise NotReady("wrong_token", f"{network.usdc} says it is {found[0]!r} {found[1]!r}")


def read_heads(node: Node) -> tuple[Block, Block]:
    """Return the newest block and the newest final one.

    Raises:
        NoAnswer: unknown.
    """
    latest, final = node.ask(ask_block(LATEST), ask_block(FINAL))
    return read_block(latest), read_block(final)


def check_payment(node: Node, network: Network, payment: usdc.Payment, final: Block) -> None:
    """Look whether the contract would take a payment now.

    Raises:
        AlreadySent: the payment's mark is used; asked first, because what was paid must
            neither be paid again nor be given back.
        PayeeRefused: ``payee_blacklisted``.
        NotReady: ``usdc_paused``, ``treasury_blacklisted``, ``treasury_short``.
        NoAnswer: unknown.
    """
    used, payee_blocked, paused, payer_blocked, balance = node.ask(
        usdc.ask_if_used(network, LATEST, payment),
        usdc.ask(network, LATEST, "isBlacklisted(address)", payment.payee),
        usdc.ask(network, LATEST, "paused()"),
        # Not the gas wallet's: the contract minds who pays and who is paid, not who hands in.
        usdc.ask(network, LATEST, "isBlacklisted(address)", payment.payer),
        usdc.ask(network, LATEST, "balanceOf(address)", payment.payer),
    )
    if usdc.decode("bool", used):
        raise AlreadySent(_name_of_use(node, network, payment, final), "the mark is used on chain")
    if usdc.decode("bool", payee_blocked):
        raise PayeeRefused("payee_blacklisted", "Circle blocks this address")
    if usdc.decode("bool", paused):
        raise NotReady("usdc_paused", "Circle has paused the token")
    if usdc.decode("bool", payer_blocked):
        raise NotReady("treasury_blacklisted", "Circle blocks our treasury")
    if usdc.decode("uint256", balance) < payment.amount:
        raise NotReady("treasury_short", f"{payment.payer} holds too little USDC")


def _name_of_use(node: Node, network: Network, payment: usdc.Payment, final: Block) -> str | None:
    first = max(final.number - _LOOK_BACK_BLOCKS, 0)
    try:
        found = find_payment(node, network, payment, first, final)
    except NoAnswer:
        return None
    return found.tx_hash if found else None
