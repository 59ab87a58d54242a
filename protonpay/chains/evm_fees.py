"""What a send may cost: EIP-1559 fees with floors, a ceiling, and room to be replaced."""

from dataclasses import dataclass

from protonpay.chains.port import Network, NotReady, Terms

# A ``transferWithAuthorization`` was measured to use 86,100 by itself and 64,900 in a bundle of
# a hundred. About twice that is offered; what is not used stays ours.
_GAS_OF_ONE = 200_000
_GAS_OF_A_BUNDLE = 100_000
_GAS_OF_EACH = 120_000


def gas_limit(payments: int) -> int:
    """Return the gas that a transaction of so many payments may use.

    A hundred stay below 2²⁴, the most that Base lets a transaction ask for.
    """
    return _GAS_OF_ONE if payments == 1 else _GAS_OF_A_BUNDLE + _GAS_OF_EACH * payments


@dataclass(frozen=True, slots=True)
class Fees:
    """Wei per gas: the most we pay in all, and the part the block's maker gets."""

    most: int
    tip: int

    @classmethod
    def of(cls, terms: Terms) -> "Fees":
        """Read the fees that a send was signed under."""
        return cls(most=int(terms["max_fee_wei"]), tip=int(terms["tip_wei"]))

    def as_terms(self) -> dict[str, int]:
        """Write the fees as terms."""
        return {"max_fee_wei": self.most, "tip_wei": self.tip}

    def outbidding(self, other: "Fees") -> "Fees":
        """Raise both fees so that a node replaces the other send by this one.

        Nodes ask for a tenth more on both (geth's ``--txpool.pricebump``); an eighth is safe.
        """
        return Fees(
            most=max(self.most, _an_eighth_more(other.most)),
            tip=max(self.tip, _an_eighth_more(other.tip)),
        )


def suggest(network: Network, base_fee: int, node_tip: int) -> Fees:
    """Choose fees that stay good while the base fee doubles.

    Polygon's nodes take no tip below its floor ("transaction underpriced"), and a
    node's own suggestion can lie below it.

    Raises:
        NotReady: ``fees_high``: above what we are ready to pay.
    """
    tip = max(node_tip, int(network.options["tip_floor_wei"]))
    fees = Fees(most=2 * base_fee + tip, tip=tip)
    ceiling = int(network.options["max_fee_wei"])
    if fees.most > ceiling:
        raise NotReady("fees_high", f"{fees.most} wei per gas, and {ceiling} is the most we pay")
    return fees


def _an_eighth_more(fee: int) -> int:
    return fee + -(-fee // 8)
