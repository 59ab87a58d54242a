"""The chart of accounts: every address the book knows, and which may go below zero."""

from dataclasses import dataclass

FEES = "revenue:fees"
CAPITAL = "equity:capital"
INSIDE = "transit:inside"
"""What left one user for an address of another and has not been credited yet."""


def available(user_id: str) -> str:
    """What a user may spend."""
    return f"user:{user_id}:available"


def held(user_id: str) -> str:
    """What a user has promised to a payout that is not final."""
    return f"user:{user_id}:held"


def debt(user_id: str) -> str:
    """What a user owes us, as a number below zero; opened with the first debt."""
    return f"user:{user_id}:debt"


def custody(network: str) -> str:
    """The USDC we keep on a network; below zero by what the treasury holds there."""
    return f"custody:{network}"


def suspense(network: str) -> str:
    """What came in on a network and is held until somebody has decided whose it is."""
    return f"suspense:{network}"


def clearing(provider: str) -> str:
    """What a card provider owes us; below zero by what it has not paid out yet."""
    return f"clearing:{provider}"


@dataclass(frozen=True, slots=True)
class Opening:
    """An account to be opened.

    Attributes:
        may_go_negative: our side of the book: money enters the book through it.
    """

    address: str
    may_go_negative: bool = False


def of_user(user_id: str) -> list[Opening]:
    """The accounts every user has from registration on."""
    return [Opening(available(user_id)), Opening(held(user_id))]


def of_debtor(user_id: str) -> list[Opening]:
    """The account that alone lets a user be below zero."""
    return [Opening(debt(user_id), may_go_negative=True)]


def of_house(networks: list[str], providers: list[str]) -> list[Opening]:
    """The accounts of the house itself."""
    outside = [custody(name) for name in networks] + [clearing(name) for name in providers]
    return [
        Opening(FEES),
        Opening(CAPITAL),
        Opening(INSIDE),
        *(Opening(suspense(name)) for name in networks),
        *(Opening(address, may_go_negative=True) for address in outside),
    ]
