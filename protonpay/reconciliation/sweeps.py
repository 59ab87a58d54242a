"""What has been moved from deposit addresses to the treasury: between two places of our own."""

from collections.abc import Mapping, Sequence


def swept(
    network: str,  # noqa: ARG001 - nothing is swept yet
    height: int,  # noqa: ARG001 - the same
    addresses: Sequence[str] | None = None,  # noqa: ARG001 - the same
) -> Mapping[str, int]:
    """Return the micro-USDC that final sweeps took from each address, up to a block.

    The one place that says so: addresses have so much less and the treasury so much more.

    Args:
        network: where.
        height: the block; later sweeps are left out.
        addresses: of these only; of all, if None.
    """
    return {}
