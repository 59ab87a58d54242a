"""Payments gathered for one Solana transaction: what our wallets pay for, what its limits hold."""

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


class Bundle:
    """Payments gathered for one transaction, as many as it takes.

    Attributes:
        orders: those that are in it.
    """

    def __init__(self, facts: Facts, wallets: Wallets, common: Mapping[str, str | int]) -> None:
        self._facts, self._wallets, self._common = facts, wallets, dict(common)
        self._purse = Purse.of(facts)
        self._payees: set[Pubkey] = set()
        self._new_accounts: frozenset[str] = frozenset()
        self.orders: list[SendOrder] = []

    @property
    def terms(self) -> Terms:
        """What they are to be signed under."""
        return self._common

    def add(self, order: SendOrder, found: Found) -> None:
        """Put one more in, if it finds room.

        A payee is paid once in a transaction: its balance before and after tells the amount.

        Raises:
            PayeeRefused: it can never be paid.
            NotReady: our wallets hold too little for it.
        """
        payee = Pubkey.from_string(order.to)
        to_wallet = check_payee(payee, found, self._wallets)
        account = usdc_account(payee, self._wallets.mint) if to_wallet else payee
        is_new = to_wallet and read_holding(found.account) is None
        new = self._new_accounts | {order.payout_id} if is_new else self._new_accounts
        terms = self._common | {wallet_term(order.payout_id): int(to_wallet)}
        orders = [*self.orders, order]
        if account in self._payees or not fit_together(orders, terms, self._wallets, new):
            return
        self._purse.take(
            order.amount,
            rent=self._facts.rent(new_account=is_new),
            fee=network_fee(orders, terms, self._wallets.mint),
        )
        self.orders, self._common, self._new_accounts = orders, terms, new
        self._payees.add(account)


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
            fee: lamports that its transaction costs, with all payments before this one.

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
        self.lamports -= rent
