"""USDC's contract: what is said to it, what it answers, and the payment it takes (EIP-3009).

A payment is signed by the treasury and may be handed in by anybody, once: its mark, made
of the payout's id, is used up by the first. It is good until ``valid_before``. One is handed
in to the contract itself, several through Multicall3, where each may fail alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from web3 import Web3

from protonpay.chains.evm_node import TRANSFER, At, Log, Question, ask_call, octets
from protonpay.chains.port import Network
from protonpay.wire.http import NoAnswer

_CODEC = Web3().codec
_PAY = "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)"
_PAY_MANY = "aggregate3((address,bool,bytes)[])"
_MULTICALL = "multicall"
_AUTHORIZATION = {
    "TransferWithAuthorization": [
        {"name": "from", "type": "address"},
        {"name": "to", "type": "address"},
        {"name": "value", "type": "uint256"},
        {"name": "validAfter", "type": "uint256"},
        {"name": "validBefore", "type": "uint256"},
        {"name": "nonce", "type": "bytes32"},
    ]
}
_USED = Web3.keccak(text="AuthorizationUsed(address,bytes32)").to_0x_hex()
_WORD = 32


@dataclass(frozen=True, slots=True)
class Payment:
    """What the treasury signs.

    Attributes:
        amount: in 10⁻⁶ USDC.
        valid_before: Unix seconds; a block of this time or later refuses it.
        mark: 32 bytes of the payout's id, EIP-3009's nonce.
    """

    payer: str
    payee: str
    amount: int
    valid_before: int
    mark: bytes


def mark_of(payout_id: str) -> bytes:
    """Return the mark that a payout leaves on chain, whatever else changes between sends."""
    return bytes(Web3.keccak(text=payout_id))


def ask(network: Network, at: At, signature: str, *values: Any) -> Question:
    """Ask the contract, ``balanceOf(address)`` and its like, in a block's state."""
    return ask_call(network.usdc, _call(signature, *values), at)


def ask_if_used(network: Network, at: At, payment: Payment) -> Question:
    """Ask whether a payment's mark is used."""
    asked = "authorizationState(address,bytes32)"
    return ask(network, at, asked, payment.payer, payment.mark)


def decode(kind: str, raw: Any) -> Any:
    """Read a contract's answer of one value.

    Raises:
        NoAnswer: it is not of that kind, as where there is no contract.
    """
    data = octets(raw)
    try:
        return _CODEC.decode([kind], data)[0]
    except Exception as error:
        # The codec's errors have no class in common.
        raise NoAnswer(f"the contract's answer is no {kind}") from error


def domain_of(network: Network) -> dict[str, Any]:
    """Return the EIP-712 domain that this network's USDC must have."""
    return {
        "name": network.options["domain_name"],
        "version": network.options["domain_version"],
        "chainId": network.chain_id,
        "verifyingContract": network.usdc,
    }


def pay(network: Network, payment: Payment, treasury_key: bytes) -> bytes:
    """Sign a payment and return the call data that hands it in."""
    signature = Account.sign_message(_typed(network, payment), treasury_key).signature
    return _call(_PAY, *_words(payment).values(), bytes(signature))


def ask_for_multicall(network: Network) -> Question:
    """Ask for the code of the contract that hands in several payments."""
    return ("eth_getCode", [network.options[_MULTICALL], "latest"])


def hand_in(network: Network, calls: Sequence[bytes]) -> tuple[str, bytes]:
    """Return the contract to call, and with what, so that payments are made in one go.

    Args:
        network: which.
        calls: what ``pay`` returned for each. Several go through Multicall3's ``aggregate3``
            with ``allowFailure``: a payee that is refused takes nobody else along.
    """
    if len(calls) == 1:
        return network.usdc, calls[0]
    bundle = [(network.usdc, True, call) for call in calls]
    return str(network.options[_MULTICALL]), _call(_PAY_MANY, bundle)


def payments_in(raw: bytes) -> Mapping[bytes, Payment]:
    """Read back the payments that a signed transaction hands in, by their marks."""
    fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
    data = bytes(fields["data"])
    calls = [data]
    if data[:4] == _selector(_PAY_MANY):
        (bundle,) = _CODEC.decode(_types(_PAY_MANY), data[4:])
        calls = [call for _, _, call in bundle]
    return {payment.mark: payment for payment in map(_payment_of, calls)}


def _payment_of(call: bytes) -> Payment:
    """Read what ``pay`` wrote: each argument but the last is a word, where the codec puts it."""
    words = [call[at : at + _WORD] for at in range(4, 4 + 6 * _WORD, _WORD)]
    payer, payee, amount, _, valid_before, mark = words
    return Payment(
        payer=_address(payer),
        payee=_address(payee),
        amount=int.from_bytes(amount),
        valid_before=int.from_bytes(valid_before),
        mark=mark,
    )


@lru_cache(maxsize=1024)
def _address(word: bytes) -> str:
    return str(Web3.to_checksum_address("0x" + word[-20:].hex()))


def topics_of_use(payment: Payment) -> list[str]:
    """Return the topics of the event that says a mark was used by a payment."""
    return [_USED, _word(payment.payer), "0x" + payment.mark.hex()]


def moved(network: Network, payment: Payment, logs: Sequence[Log]) -> bool:
    """Tell whether a transaction's events say that this very payment was made."""
    # A bundle of a hundred has two hundred events, and is asked about each of its payments.
    usdc, amount = network.usdc.lower(), f"0x{payment.amount:064x}"
    transfer = (TRANSFER, _word(payment.payer), _word(payment.payee))
    use = tuple(topics_of_use(payment))
    return any(log.topics == use and log.contract == usdc for log in logs) and any(
        log.topics == transfer and log.data == amount and log.contract == usdc for log in logs
    )


def _call(signature: str, *values: Any) -> bytes:
    return _selector(signature) + _CODEC.encode(_types(signature), values)


@cache
def _selector(signature: str) -> bytes:
    return bytes(Web3.keccak(text=signature)[:4])


def _typed(network: Network, payment: Payment) -> Any:
    return encode_typed_data(domain_of(network), _AUTHORIZATION, _words(payment))


def _words(payment: Payment) -> dict[str, Any]:
    return {
        "from": payment.payer,
        "to": payment.payee,
        "value": payment.amount,
        "validAfter": 0,
        "validBefore": payment.valid_before,
        "nonce": payment.mark,
    }


@cache
def _types(signature: str) -> list[str]:
    listed = signature[signature.index("(") + 1 : -1]
    if listed.startswith("("):
        return [listed]
    return listed.split(",") if listed else []


def _word(address: str) -> str:
    return "0x" + address.removeprefix("0x").lower().rjust(2 * _WORD, "0")
