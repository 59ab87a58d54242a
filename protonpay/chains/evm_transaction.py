"""A transaction of one of our wallets: signed, and handed to a node that may say what it likes."""

import structlog
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes

from protonpay.chains.evm_fees import Fees
from protonpay.chains.port import Network
from protonpay.wire.jsonrpc import JsonRpc, RpcError

log = structlog.get_logger(__name__)


def sign(
    network: Network, key: bytes, call: tuple[str, bytes], sequence: int, gas: int, price: Fees
) -> tuple[bytes, str]:
    """Sign an EIP-1559 transaction that calls a contract; pure.

    Args:
        network: whose chain id it is bound to.
        key: of the wallet that pays the gas.
        call: the contract and its call data.
        sequence: the wallet's nonce.
        gas: the most it may use.
        price: wei per gas.

    Returns:
        The bytes and their hash.
    """
    to, data = call
    transaction = {
        "type": 2,
        "chainId": network.chain_id,
        "nonce": sequence,
        "to": to,
        "value": 0,
        "data": data,
        "gas": gas,
        "maxFeePerGas": price.most,
        "maxPriorityFeePerGas": price.tip,
    }
    signed = Account.sign_transaction(transaction, key)
    return bytes(signed.raw_transaction), signed.hash.to_0x_hex()


def dearer(network: Network, key: bytes, raw: bytes, price: Fees) -> tuple[bytes, str]:
    """Sign a transaction of ours anew with nothing changed but its fees; pure."""
    fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
    call = to_checksum_address(bytes(fields["to"])), bytes(fields["data"])
    return sign(network, key, call, int(fields["nonce"]), int(fields["gas"]), price)


def broadcast(rpc: JsonRpc, network: Network, raw: bytes, tx_hash: str) -> None:
    """Hand bytes to a node; "already known", "nonce too low" and the like prove nothing.

    Raises:
        NoAnswer: it may or may not have taken them.
    """
    try:
        rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
    except RpcError as error:
        log.info(
            "broadcast_refused",
            network=network.name,
            tx_hash=tx_hash,
            code=error.code,
            message=error.message,
        )
