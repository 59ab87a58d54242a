"""Whether a payment can be made now: the payee's accounts and our own, as they were read."""

from dataclasses import dataclass

from solders.hash import Hash
from solders.pubkey import Pubkey

from protonpay.chains.port import NotReady, PayeeRefused, SendOrder, Terms
from protonpay.chains.solana_answers import (
    TOKEN_ACCOUNT_SIZE,
    Call,
    HeldAccount,
    ask,
    read_account,
    read_holding,
    reading,
)
from protonpay.chains.solana_payment import (
    TOKEN_PROGRAM,
    Wallets,
    compute_limit,
    marker_address,
    network_fee,
    usdc_account,
)
from protonpay.kernel.money import Usdc
from protonpay.wire.jsonrpc import JsonRpc

_CONFIRMED = {"commitment": "confirmed"}


@dataclass(frozen=True, slots=True)
class Found:
    """The accounts of a payment, in the order they were asked for.

    Attributes:
        payee: what is at the address to be paid.
        account: that address's associated USDC account.
    """

    marker: HeldAccount | None
    gas: HeldAccount | None
    purse: HeldAccount | None
    payee: HeldAccount | None
    account: HeldAccount | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What one look at the node told about a payment.

    Attributes:
        recent_prices: micro-lamports per compute unit paid lately around our accounts, ascending.
        empty_rent: the lamports an account without data must hold.
        token_rent: the lamports a token account must hold.
    """

    blockhash: str
    last_valid_block_height: int
    found: Found
    recent_prices: list[int]
    empty_rent: int
    token_rent: int

    def terms(
        self, order: SendOrder, wallets: Wallets, *, to_wallet: bool, price_cap: int
    ) -> Terms:
        """Return the terms of a payment made now.

        The price is what three quarters of the recent blocks would have taken, capped.
        """
        prices = self.recent_prices
        payee = Pubkey.from_string(order.to)
        return {
            "blockhash": self.blockhash,
            "last_valid_block_height": self.last_valid_block_height,
            "ata_needed": int(to_wallet),
            "cu_limit": compute_limit(payee, wallets.mint, ata_needed=to_wallet),
            "cu_price_micro_lamports": min(
                prices[len(prices) * 3 // 4] if prices else 0, price_cap
            ),
            "marker_lamports": self.empty_rent,
        }

    def lamports_needed(self, terms: Terms) -> int:
        """Return what the gas wallet must hold: fee, both rents, and its own minimum."""
        makes_account = terms["ata_needed"] and read_holding(self.found.account) is None
        rent = self.token_rent if makes_account else 0
        return network_fee(terms) + self.empty_rent + rent + self.empty_rent


def read_facts(rpc: JsonRpc, order: SendOrder, wallets: Wallets) -> Facts:
    """Ask the node once for everything a payment depends on, as of ``confirmed``.

    Raises:
        NoAnswer: unknown; ask again.
    """
    payee = Pubkey.from_string(order.to)
    marker = marker_address(wallets.gas, order.payout_id)
    account = usdc_account(payee, wallets.mint)
    keys = [str(key) for key in (marker, wallets.gas, wallets.purse, payee, account)]
    calls: list[Call] = [
        ("getLatestBlockhash", [_CONFIRMED]),
        ("getMultipleAccounts", [keys, _CONFIRMED | {"encoding": "base64"}]),
        ("getRecentPrioritizationFees", [[str(wallets.purse), str(account)]]),
        ("getMinimumBalanceForRentExemption", [0]),
        ("getMinimumBalanceForRentExemption", [TOKEN_ACCOUNT_SIZE]),
    ]
    latest, accounts, paid, empty_rent, token_rent = ask(rpc, calls)
    with reading():
        return Facts(
            blockhash=str(Hash.from_string(latest["value"]["blockhash"])),
            last_valid_block_height=int(latest["value"]["lastValidBlockHeight"]),
            found=Found(*(read_account(told) for told in accounts["value"])),
            recent_prices=sorted(int(slot["prioritizationFee"]) for slot in paid),
            empty_rent=int(empty_rent),
            token_rent=int(token_rent),
        )


def check_payee(payee: Pubkey, found: Found, ours: Wallets) -> bool:
    """Tell whether the payee is a wallet (True) or itself a USDC account (False).

    A missing account is a wallet that nobody has used yet, but only on the curve: off it
    there is no key, so an address without an account is a typing error or somebody's
    token account of tomorrow, and a token account made for it would be lost.

    Raises:
        PayeeRefused: it can never be paid.
    """
    if payee in (ours.gas, ours.treasury, ours.purse):
        raise PayeeRefused("payee_is_ours", "The address belongs to Proton Pay.")
    held = found.payee
    if held is None:
        if not payee.is_on_curve():
            raise _not_a_wallet("No wallet can have this address, and nothing is there.")
    elif not held.is_plain:
        _check_token_account(held, ours)
        return False
    _check_wallet_account(payee, found.account, ours)
    return True


def check_funds(amount: Usdc, lamports: int, found: Found) -> None:
    """Look whether the purse holds the amount and the gas wallet the lamports.

    Raises:
        NotReady: one of them does not, or the purse is frozen.
    """
    purse = read_holding(found.purse)
    if purse is not None and purse.frozen:
        raise NotReady("treasury_frozen", "The treasury's USDC account is frozen.")
    if purse is None or purse.micro < amount.micro:
        raise NotReady("treasury_short", "The treasury holds less USDC than the payment.")
    if found.gas is None or found.gas.lamports < lamports:
        raise NotReady("gas_short", "The gas wallet cannot pay the fee and the rent.")


def _check_token_account(held: HeldAccount, ours: Wallets) -> None:
    holding = read_holding(held)
    if holding is None:
        raise _not_a_wallet("The address is a program or something else that is not a wallet.")
    if holding.mint != ours.mint:
        raise _not_a_wallet("The address is an account of another token.")
    if holding.owner in (ours.gas, ours.treasury):
        raise PayeeRefused("payee_is_ours", "The address belongs to Proton Pay.")
    if holding.frozen:
        raise _frozen()


def _check_wallet_account(payee: Pubkey, held: HeldAccount | None, ours: Wallets) -> None:
    if held is None or held.owner != TOKEN_PROGRAM:
        # Lamports sent ahead to its address do not hinder the account's creation.
        return
    holding = read_holding(held)
    if holding is None or holding.mint != ours.mint or holding.owner != payee:
        raise PayeeRefused(
            "payee_account_given_away", "The wallet's USDC account has another owner."
        )
    if holding.frozen:
        raise _frozen()


def _frozen() -> PayeeRefused:
    return PayeeRefused("payee_frozen", "Circle has frozen the address.")


def _not_a_wallet(detail: str) -> PayeeRefused:
    return PayeeRefused("payee_not_a_wallet", detail)
