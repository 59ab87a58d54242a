"""Addresses as links that a wallet can open; pure text, no chain library."""

from urllib.parse import urlencode

from protonpay.chains.port import Network
from protonpay.kernel.money import Usdc


def payment_uri(network: Network, address: str, amount: Usdc | None = None) -> str:
    """Return a link that asks a wallet to pay USDC to an address.

    On EVM networks EIP-681, whose amount is in 10⁻⁶ USDC; on Solana a Solana Pay transfer
    request, whose amount is in USDC and whose recipient is the wallet, not its token account.

    Args:
        network: where to pay.
        address: whom; in canonical form.
        amount: how much; left to the payer if None.
    """
    if network.family == "evm":
        asked = {"address": address} | ({} if amount is None else {"uint256": str(amount.micro)})
        return f"ethereum:{network.usdc}@{network.chain_id}/transfer?{urlencode(asked)}"
    asked = {} if amount is None else {"amount": str(amount)}
    return f"solana:{address}?{urlencode({**asked, 'spl-token': network.usdc})}"
