"""Payments gathered for Solana transactions: what our wallets pay for, what the limits hold."""

from collections.abc import Mapping
from dataclasses import dataclass

from solders.pubkey import Pubkey

from protonpay.chains.port import NotReady, SendOrder, Terms
from protonpay.chains.solana_answers import read_holding
from protonpay.chains.solana_payment import (
    Wallets,
    fit_together,
    network_fee,
    usdc_account,
    wallet_term,
)
from protonpay.chains.solana_terms import Facts, Found, check_payee
from protonpay.kernel.money import Usdc

_MOST_BUNDLES = 10


class Bundles:
    """Payments gathered for some transactions, after one look at the node.

    Attributes:
        filled: the transactions, the most urgent payments in the first of them.
    """

    def __init__(
        self, facts: Facts, wallets: Wallets, common: Mapping[str, str | int], most_in_one: int
    ) -> None:
        self._facts, self._wallets, self._common = facts, wallets, common
        self._most_in_one = most_in_one
        self._purse = Purse.of(facts)
        self.filled: list[Bundle] = []

    def add(self, order: SendOrder, found: Found) -> None:
        """Put one more into the first transaction that has room, or into none.

        Raises:
            PayeeRefused: it can never be paid.
            NotReady: our wallets hold too little for it.
        """
        payee = Pubkey.from_string(order.to)
        to_wallet = check_payee(payee, found, self._wallets)
        account = usdc_account(payee, self._wallets.mint) if to_wallet else payee
        is_new = to_wallet and read_holding(found.account) is None
        rent = self._facts.rent(new_account=is_new)
        joining = Joining(order, account, to_wallet=to_wallet, is_new=is_new, rent=rent)
        if any(bundle.take(joining, self._purse) for bundle in self.filled):
            return
        if len(self.filled) < _MOST_BUNDLES:
            bundle = Bundle(self._wallets, self._common, self._most_in_one)
            bundle.take(joining, self._purse)
            self.filled.append(bundle)


@dataclass(frozen=True, slots=True)
class Joining:
    """A payment that may join others in a transaction.

    Attributes:
        account: the payee's USDC account; ``is_new``: it has to be made.
        rent: lamports that stay in the accounts the payment makes.
    """

    order: SendOrder
    account: Pubkey
    to_wallet: bool
    is_new: bool
    rent: int


class Bundle:
    """Payments gathered for one transaction, as many as it takes.

    Attributes:
        orders: those that are in it.
        terms: what they are to be signed under.
    """

    def __init__(self, wallets: Wallets, common: Mapping[str, str | int], most_in_one: int) -> None:
        self._wallets, self._most = wallets, most_in_one
        self._payees: set[Pubkey] = set()
        self._new_accounts: frozenset[str] = frozenset()
        self._no_room_for: set[tuple[bool, bool]] = set()
        self._fee = 0
        self.orders: list[SendOrder] = []
        self.terms: Terms = common

    def take(self, joining: Joining, purse: "Purse") -> bool:
        """Put one more in; tell whether it found room.

        A payee is paid once in a transaction: its balance before and after tells the amount.

        Raises:
            NotReady: our wallets hold too little for it.
        """
        order, kind = joining.order, (joining.to_wallet, joining.is_new)
        # Where one found no room, none of its kind does: compiling the message tells, and costs.
        if joining.account in self._payees or kind in self._no_room_for:
            return False
        new = self._new_accounts | {order.payout_id} if joining.is_new else self._new_accounts
        terms = {**self.terms, wallet_term(order.payout_id): int(joining.to_wallet)}
        orders = [*self.orders, order]
        if len(orders) > self._most or not fit_together(orders, terms, self._wallets, new):
            self._no_room_for.add(kind)
            return False
        fee = network_fee(orders, terms, self._wallets.mint)
        purse.take(order.amount, rent=joining.rent, fee=fee - self._fee)
        self.orders, self.terms, self._new_accounts, self._fee = orders, terms, new, fee
        self._payees.add(joining.account)
        return True


@dataclass
class Purse:
    """What our two wallets can still pay, one order after the other."""

    micro: int
    lamports: int
    frozen: bool

    @classmethod
    def of(cls, facts: Facts) -> "Purse":
        """Read what is there; the gas wallet's own minimum stays out."""
        held = read_holding(facts.purse)
        lamports = facts.gas.lamports - facts.empty_rent if facts.gas else 0
        return cls(held.micro if held else 0, lamports, bool(held and held.frozen))

    def take(self, amount: Usdc, *, rent: int, fee: int) -> None:
        """Set a payment's money aside.

        Args:
            amount: of the payment.
            rent: lamports that stay in the accounts it makes.
            fee: lamports by which its transaction's fee grows.

        Raises:
            NotReady: ``treasury_frozen``, ``treasury_short`` or ``gas_short``.
        """
        if self.frozen:
            raise NotReady("treasury_frozen", "The treasury's USDC account is frozen.")
        if self.micro < amount.micro:
            raise NotReady("treasury_short", "The treasury holds less USDC than the payment.")
        if self.lamports < rent + fee:
            raise NotReady("gas_short", "The gas wallet cannot pay the fee and the rent.")
        self.micro -= amount.micro
        self.lamports -= rent + fee
