"""Which token a contract says it is: asked before it is believed or signed for; no chain library.

EIP-712's domain separator is a hash of the token's name, version, chain and address, so an
entry that is wrong in any of them differs here.
"""

from Crypto.Hash import keccak

from protonpay.chains.evm_node import Node, ask_call, octets, quantity
from protonpay.chains.port import Network
from protonpay.wire.http import NoAnswer

_DECIMALS = 6
# The first four bytes of the hash of DOMAIN_SEPARATOR() and decimals().
_DOMAIN_SEPARATOR = bytes.fromhex("3644e515")
_DECIMALS_OF = bytes.fromhex("313ce567")
_DOMAIN = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_WORD = 32


def separator_of(network: Network) -> bytes:
    """Return ``DOMAIN_SEPARATOR()`` as this network's USDC must have it."""
    texts = (_DOMAIN, network.options["domain_name"], network.options["domain_version"])
    chain_id = int(network.chain_id or 0).to_bytes(_WORD, "big")
    contract = bytes.fromhex(network.usdc[2:]).rjust(_WORD, b"\0")
    return _hash(b"".join(_hash(str(text).encode()) for text in texts) + chain_id + contract)


def insist(node: Node, network: Network) -> None:
    """Refuse a node of another chain, and a contract that is not the USDC of its entry.

    Raises:
        NoAnswer: it is one; or unknown.
    """
    chain_id, separator, decimals = node.ask(
        ("eth_chainId", []),
        *(ask_call(network.usdc, data, "latest") for data in (_DOMAIN_SEPARATOR, _DECIMALS_OF)),
    )
    if quantity(chain_id) != network.chain_id:
        raise NoAnswer(f"the node is of chain {quantity(chain_id)}")
    said = octets(separator), int.from_bytes(octets(decimals), "big")
    if said != (separator_of(network), _DECIMALS):
        raise NoAnswer(f"{network.usdc} is not the USDC that the settings say")


def _hash(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()
