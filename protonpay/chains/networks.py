"""The networks, as data: three that are always there, and those that the settings add."""

from collections.abc import Iterator, Mapping, Sequence

from typing_extensions import override

from protonpay.chains.port import Network
from protonpay.kernel.errors import Invalid

# The same address on nearly every EVM network (https://www.multicall3.com).
MULTICALL3 = "0xcA11bde05977b3631167028862bE2a173976CA11"
SOLANA = Network(
    name="Solana",
    family="solana",
    by_account=True,
    usdc="EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
)
BASE = Network(
    name="Base",
    family="evm",
    chain_id=8453,
    usdc="0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
    # Its batch is on L1, some two minutes on; final takes twenty (docs/chains.md).
    small_at="safe",
    refused=frozenset({"0xd9aAEc86B65D86f6A7B5B1b0c42FFA531710b6CA"}),  # USDbC, another token
    options={
        "multicall": MULTICALL3,
        "domain_name": "USD Coin",
        "domain_version": "2",
        "tip_floor_wei": 1_000_000,
        "max_fee_wei": 5_000_000_000,
    },
)
POLYGON = Network(
    name="Polygon",
    family="evm",
    chain_id=137,
    usdc="0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359",
    refused=frozenset({"0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174"}),  # USDC.e, another token
    options={
        "multicall": MULTICALL3,
        "domain_name": "USD Coin",
        "domain_version": "2",
        "tip_floor_wei": 30_000_000_000,
        "max_fee_wei": 2_000_000_000_000,
    },
)
BUILT_IN: Mapping[str, Network] = {network.name: network for network in (SOLANA, BASE, POLYGON)}
"""Those of the API's contract; the embedded stack runs these."""


class Table(Mapping[str, Network]):
    """The networks of this process by name, in the order in which they are shown.

    Filled by ``create_app``: read it when it is needed, not while modules are imported.
    """

    def __init__(self) -> None:
        self._networks = dict(BUILT_IN)

    def bind(self, further: Sequence[Network]) -> None:
        """Have these beside the three; forgets those given before."""
        self._networks = {**BUILT_IN, **{network.name: network for network in further}}

    @override
    def __getitem__(self, name: str) -> Network:
        return self._networks[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._networks)

    @override
    def __len__(self) -> int:
        return len(self._networks)


NETWORKS = Table()


def network(name: str) -> Network:
    """Return a network by its documented name.

    Raises:
        Invalid: there is no such network (``unsupported_network``).
    """
    try:
        return NETWORKS[name]
    except KeyError:
        raise unsupported(NETWORKS) from None


def unsupported(names: Mapping[str, object]) -> Invalid:
    """Return the refusal of a network that is not one of these."""
    if len(names) <= 1:
        return Invalid("unsupported_network", "Choose another network.")
    *first, last = names
    said = "Choose {networks} or {last}."
    return Invalid("unsupported_network", said, networks=", ".join(first), last=last)
